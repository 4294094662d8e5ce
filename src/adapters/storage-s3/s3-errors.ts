import { PilotError, StorageError } from '../../domain/errors';

/** The least that the credentials must allow, on the bucket and on `bucket/prefix/*`. */
const ACTIONS = 's3:ListBucket, s3:GetObject, s3:PutObject, s3:DeleteObject, s3:AbortMultipartUpload';

const WRONG_ACCESS_KEY = 'The access key does not exist: correct AWS_ACCESS_KEY_ID.';

/** What to do, by the name that S3, or the SDK itself, gives to the refusal. */
const REFUSALS: Record<string, string> = {
  NoSuchBucket: 'The bucket does not exist: create it, or correct PILOT_BACKUP_URL.',
  AccessDenied: `The credentials do not allow it: they need ${ACTIONS}.`,
  AllAccessDisabled: 'Access to the bucket is switched off at its owner.',
  AccountProblem: 'There is a problem with the account: look at its console.',
  InvalidAccessKeyId: WRONG_ACCESS_KEY,
  // Versity's gateway.
  XAdminUserNotFound: WRONG_ACCESS_KEY,
  SignatureDoesNotMatch: 'The secret key is wrong: correct AWS_SECRET_ACCESS_KEY.',
  ExpiredToken: 'The credentials have expired: renew them.',
  InvalidToken: 'The session token is wrong: correct AWS_SESSION_TOKEN.',
  RequestTimeTooSkewed: 'The clock of this machine is wrong: set it (NTP).',
  AuthorizationHeaderMalformed: 'The region is wrong: set AWS_REGION to the region of the bucket.',
  PermanentRedirect: 'The bucket is in another region: set AWS_REGION to it.',
  CredentialsProviderError: 'There are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.',
};
const FULL = new Set(['QuotaExceeded', 'XMinioStorageFull', 'InsufficientStorage', 'StorageFull']);

/** What S3 answered, or that it did not, as the port's errors. */
export function s3StorageError(error: unknown, bucket: string, key: string): PilotError {
  if (error instanceof PilotError) return error;
  const { name, status, words } = readError(error);
  const options = { cause: error };
  if (name === 'NoSuchKey' || name === 'NotFound') {
    return new StorageError('object_not_found', `${key} is not in the bucket ${bucket}.`, options);
  }
  if (name === 'InvalidObjectState') {
    const message = `${key} in the bucket ${bucket} was moved to an archive class by a lifecycle rule, so it cannot be read now. Bring it back (aws s3api restore-object) and retry; exclude the backups from that rule.`;
    return new StorageError('object_archived', message, options);
  }
  if (FULL.has(name) || status === 507) {
    const advice = 'Free some space there, or raise its quota.';
    return new StorageError('storage_full', `The bucket ${bucket} is full (${name}). ${advice}`, options);
  }
  const refusal = REFUSALS[name] ?? otherRefusal(status, words);
  if (refusal !== null) {
    return new StorageError('storage_refused', `The bucket ${bucket} refuses access (${name}). ${refusal}`, options);
  }
  const advice = 'The next backup retries. If this persists, check the server and the network.';
  return new StorageError(
    'storage_unreachable',
    `The bucket ${bucket} does not answer as it should (${name}). ${advice}`,
    options,
  );
}

function otherRefusal(status: number | undefined, words: string): string | null {
  if (words.includes('Region is missing')) return 'No region is set: set AWS_REGION.';
  if (status === 401 || status === 403) return `The credentials need ${ACTIONS}.`;
  return null;
}

function readError(error: unknown): { name: string; status: number | undefined; words: string } {
  const { name, code, message, $metadata } = error as {
    name?: string;
    code?: string;
    message?: string;
    $metadata?: { httpStatusCode?: number };
  };
  const plain = name === undefined || name === 'Error' || name === 'AggregateError';
  return { name: (plain ? code : name) ?? 'unknown error', status: $metadata?.httpStatusCode, words: message ?? '' };
}
