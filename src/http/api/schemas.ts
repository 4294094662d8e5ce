import { z } from 'zod';
import { ERROR_CODES, type ErrorCode } from '../../domain/errors';
import { NOTE_FLAGS } from '../../domain/notes/release-notes';
import { RENEWAL_OUTCOMES, RENEWAL_REASONS } from '../../domain/certificates/certificate';
import { REHEARSAL_ENDS } from '../../domain/rehearsal/rehearsal';
import { SIGNATURE_STATUSES } from '../../domain/signatures/signature';
import { STEP_NAMES, UPDATE_STATUSES } from '../../domain/update';
import { CHECK_NAMES } from '../../diagnosis/health-report';
import { CHECK_STATUSES } from '../../diagnosis/problem';

// The shapes of every request and answer: they validate, they type, and `/openapi.json` is made of them.
// A schema that may be null somewhere carries no `id`: the generator would make every use of it nullable.

const time = z.iso.datetime();
const policy = z.enum(['automatic', 'manual', 'ignore']);
const image = z.object({ reference: z.string(), digest: z.string().nullable() });
const problem = z.object({ code: z.string(), message: z.string() });

const step = z
  .object({
    name: z.enum(STEP_NAMES),
    status: z.enum(['running', 'succeeded', 'failed', 'skipped']),
    startedAt: time,
    finishedAt: time.nullable(),
    detail: z.string().nullable(),
  })
  .meta({ id: 'Step' });

const approval = z.object({
  status: z.enum(['waiting', 'approved', 'declined', 'expired', 'superseded']),
  expiresAt: time,
  decidedAt: time.nullable(),
  decidedBy: z.string().nullable().meta({ description: '`link`, `api`, `cli:UID`, `page` or `page:NAME`' }),
});

const notes = z.object({
  url: z.string().meta({ description: 'Where a person reads the release notes' }),
  versions: z.array(z.string()).meta({ description: 'The releases between the two versions, newest first' }),
  flags: z.array(z.enum(NOTE_FLAGS)),
  problem: z.string().nullable().meta({ description: 'Why not everything was read' }),
});

const signature = z.object({
  status: z.enum(SIGNATURE_STATUSES).meta({ description: '`unknown`: it is checked again before the update starts' }),
  by: z.string().nullable().meta({ description: 'The key or the identity that signed' }),
});

const rehearsal = z.object({
  status: z.enum(['running', ...REHEARSAL_ENDS]).meta({
    description:
      '`inconclusive`: the current version does not become healthy in isolation either; `skipped`: it could not be tried',
  }),
  startedAt: time,
  finishedAt: time.nullable(),
  seconds: z.number().nullable().meta({ description: 'Until the new version was healthy' }),
  detail: z.string().nullable().meta({ description: 'What was seen, or the progress' }),
});

const soak = z.object({
  status: z.enum(['watching', 'deciding', 'rolling_back', 'ended']),
  until: time.meta({ description: 'Until when the new container is watched' }),
  keptUntil: time.nullable().meta({ description: 'When the old container is removed; null: it is not kept' }),
  failure: z.string().nullable().meta({ description: 'Why the new version failed' }),
  outcome: z.string().nullable(),
});

const updateBackup = z.object({ id: z.string(), url: z.string().nullable(), bytes: z.number().int().nullable() });

export const updateSchema = z
  .object({
    id: z.string(),
    kind: z.enum(['container', 'service']).meta({ description: 'Of a service, `container` is its name' }),
    container: z.string().nullable(),
    project: z.string().nullable(),
    service: z.string().nullable(),
    policy: policy.nullable(),
    status: z.enum(UPDATE_STATUSES),
    reason: z.string(),
    source: z.enum(['diun', 'reconcile', 'operator']),
    from: image.nullable(),
    to: image,
    createdAt: time,
    startedAt: time.nullable(),
    finishedAt: time.nullable(),
    approval: approval.nullable(),
    rehearsal: rehearsal.nullable(),
    notBefore: time.nullable().meta({ description: 'A queued update does not start before this time' }),
    notes: notes.nullable(),
    signature: signature.nullable().meta({ description: 'By `update.verify`; null: none is required' }),
    backup: updateBackup.nullable(),
    soak: soak.optional().meta({ description: 'Only of an update whose container was, or is, watched after it' }),
    steps: z.array(step),
    error: problem.nullable(),
    followUp: z.string().nullable().meta({ description: 'What the operator must still do afterwards' }),
  })
  .meta({ id: 'Update' });
export type UpdateJson = z.infer<typeof updateSchema>;

export const updatesSchema = z.object({ updates: z.array(updateSchema), next: z.string().nullable() });

const limit = z
  .string()
  .regex(/^\d{1,9}$/, 'must be a whole number')
  .transform(Number)
  .pipe(z.number().min(1, 'must be at least 1').max(200, 'must be at most 200'))
  .default(50)
  .meta({ type: 'integer', pattern: undefined, minimum: 1, maximum: 200, default: 50 });

export const updatesQuery = z.strictObject({
  status: z.enum(UPDATE_STATUSES).optional(),
  container: z.string().min(1).max(255).optional(),
  limit,
  cursor: z
    .string()
    .regex(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/, 'must be the `next` of the page before')
    .optional(),
});

/** Of the operator page; `done` and `problem` say what a button did. */
export const historyQuery = z.strictObject({
  status: z.enum(UPDATE_STATUSES, `must be one of ${UPDATE_STATUSES.join(', ')}`).optional(),
  container: updatesQuery.shape.container,
  cursor: updatesQuery.shape.cursor,
  done: z.string().max(40).optional(),
  problem: z.string().max(40).optional(),
});

/** The buttons of the page behind a link. */
export const decisionForm = z.object({
  decision: z.enum(['approve', 'decline', 'window']).optional(),
  rehearse: z.literal('again').optional().meta({ description: 'Instead of a decision: requests another rehearsal' }),
  name: z.string().optional().meta({ description: 'For a container that holds data: its name, to approve' }),
  data: z.enum(['current', 'backup']).optional().meta({ description: 'By the link of a failed soak: the data to use' }),
  manifest: z.string().optional().meta({ description: 'By the link of a restore: SHA-256 of the manifest as shown' }),
});

/** A button of the operator page. */
export const actionForm = z.object({
  id: z.string().optional().meta({ description: 'Of the update; for a backup the project, or none for all' }),
  form: z.string().meta({ description: 'Binds the form to its button; issued by the page, valid for a day' }),
  name: decisionForm.shape.name,
  back: z.literal('update').optional().meta({ description: 'Leads to the page of the update instead of /' }),
});

export const updateRequest = z
  .strictObject({
    container: z.string().min(1).max(255).meta({ example: 'gitea' }),
    image: z.string().min(1).max(1024).optional().meta({ example: 'gitea/gitea:1.24.6' }),
  })
  .meta({ id: 'UpdateRequest' });

const backupItem = z
  .object({
    container: z.string(),
    service: z.string().nullable().optional(),
    image: z.object({ reference: z.string(), imageId: z.string() }),
    kind: z.enum(['database', 'globals', 'files']),
    database: z
      .unknown()
      .optional()
      .meta({ description: 'Owner, encoding, locale, settings and grants of a database' }),
    name: z.string(),
    key: z.string(),
    bytes: z.number().int(),
    sha256: z.string(),
    compression: z.enum(['gzip', 'none']),
    verified: z.string(),
  })
  .meta({ id: 'BackupItem' });

const backupSchema = z
  .object({
    id: z.string(),
    project: z.string().nullable(),
    container: z.string().nullable(),
    reason: z.enum(['update', 'operator', 'schedule']),
    updateId: z.string().nullable(),
    status: z.enum(['queued', 'running', 'succeeded', 'failed', 'pruned']),
    createdAt: time,
    startedAt: time.nullable(),
    finishedAt: time.nullable(),
    url: z.string().nullable(),
    bytes: z.number().int().nullable(),
    verifiedAt: time.nullable(),
    quiesced: z.boolean().meta({ description: 'Whether all writers were stopped while it was taken' }),
    items: z.array(backupItem),
    error: problem.nullable(),
    pruned: z
      .object({ at: time, because: z.string() })
      .nullable()
      .meta({ description: 'When and why retention gave it up; nothing of it can be restored' }),
    drill: z
      .object({ status: z.enum(['passed', 'failed', 'skipped']), at: time, words: z.string() })
      .nullable()
      .meta({ description: 'The newest restore drill: whether it could be restored, and what was counted' }),
  })
  .meta({ id: 'Backup' });
export type BackupJson = z.infer<typeof backupSchema>;

export const backupsSchema = z.object({ backups: z.array(backupSchema) });
export const backupsQuery = z.strictObject({ limit });
export const backupRequest = z
  .strictObject({ project: z.string().min(1).max(255).optional() })
  .meta({ id: 'BackupRequest' });

const certificate = z.object({
  fingerprint: z.string().meta({ description: 'SHA-256 of the certificate, in hex' }),
  names: z.array(z.string()),
  notBefore: time,
  notAfter: time,
});
const livingCertificate = certificate.extend({ daysLeft: z.number().int() });

const certificateSeen = z.object({
  name: z.string(),
  project: z.string().nullable(),
  server: z.string().nullable(),
  disk: certificate.nullable(),
  served: certificate.nullable(),
  problem: z.string().nullable(),
});
const certificateNow = certificateSeen
  .extend({ disk: livingCertificate.nullable(), served: livingCertificate.nullable() })
  .meta({ id: 'Certificate' });
export type CertificateSeenJson = z.infer<typeof certificateNow>;

export const renewalSchema = z
  .object({
    id: z.string(),
    reason: z.enum(RENEWAL_REASONS),
    status: z.enum(['queued', 'running', 'succeeded', 'failed']),
    outcome: z.enum(RENEWAL_OUTCOMES).nullable(),
    detail: z.string().nullable(),
    createdAt: time,
    dueAt: time.meta({ description: 'Not started before this time: the retry after a failure waits a day' }),
    startedAt: time.nullable(),
    finishedAt: time.nullable(),
    before: z.array(certificateSeen).nullable(),
    after: z.array(certificateSeen).nullable(),
    error: problem.nullable(),
  })
  .meta({ id: 'Renewal' });
export type RenewalJson = z.infer<typeof renewalSchema>;

export const renewalsSchema = z.object({
  renewals: z.array(renewalSchema),
  certificates: z.array(certificateNow).meta({ description: 'As seen at the last look' }),
});
export type RenewalsJson = z.infer<typeof renewalsSchema>;
/** There are no options: a request for a single certificate is refused. */
export const renewalRequest = z.strictObject({}).meta({ id: 'RenewalRequest' });
export const renewalsQuery = z.strictObject({ limit });

const auditEntry = z
  .object({
    number: z.number().int(),
    at: time,
    kind: z.enum(['start', 'decision', 'update', 'restore', 'failed_logins', 'recovery_kit']),
    actor: z.string(),
    subject: z.string().nullable(),
    detail: z.record(z.string(), z.unknown()),
    previous: z.string(),
    hash: z.string().meta({ description: 'SHA-256 over the record and the hash of the one before' }),
  })
  .meta({ id: 'AuditEntry' });
export const auditSchema = z.object({ entries: z.array(auditEntry), next: z.string().nullable() });
export type AuditJson = z.infer<typeof auditSchema>;
export const auditQuery = z.strictObject({
  limit,
  cursor: z
    .string()
    .regex(/^[1-9]\d{0,14}$/, 'must be the `next` of the page before')
    .optional(),
});

export const webhookAnswer = z.object({ webhook: z.string(), duplicate: z.boolean() }).meta({ id: 'WebhookAnswer' });

const check = z.object({ status: z.enum(CHECK_STATUSES), reason: z.string().optional() }).meta({ id: 'Check' });
export const healthSchema = z
  .object({ status: z.enum(CHECK_STATUSES), version: z.string(), checks: z.record(z.enum(CHECK_NAMES), check) })
  .meta({ id: 'Health' });

export const errorSchema = z
  .object({
    error: z.object({
      code: z.enum(Object.keys(ERROR_CODES) as [ErrorCode, ...ErrorCode[]]),
      message: z.string(),
      details: z.record(z.string(), z.unknown()).optional(),
    }),
  })
  .meta({ id: 'Error' });
