import { createSesTransport } from '../../src/adapters/mail-ses/ses-transport';
import { startSesEmulator } from '../support/ses-server';
import { mailTransportContract } from './mail-transport.contract';

const ACCOUNT = {
  DedicatedIpAutoWarmupEnabled: false,
  Details: {
    AdditionalContactEmailAddresses: [],
    ContactLanguage: 'EN',
    MailType: 'TRANSACTIONAL',
    ReviewDetails: { CaseId: '1', Status: 'GRANTED' },
    UseCaseDescription: 'operations',
    WebsiteURL: 'https://example.org',
  },
  EnforcementStatus: 'HEALTHY',
  ProductionAccessEnabled: true,
  SendingEnabled: true,
  SendQuota: { Max24HourSend: 200, MaxSendRate: 1, SentLast24Hours: 0 },
  SuppressionAttributes: { SuppressedReasons: [] },
};

beforeAll(() => (process.env.AWS_SES_ACCOUNT = JSON.stringify(ACCOUNT)));
afterAll(() => delete process.env.AWS_SES_ACCOUNT);

mailTransportContract('mail-ses', async () => {
  const server = await startSesEmulator();
  const client = {
    endpoint: server.endpoint,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  };
  let up = true;
  const takeDown = async (): Promise<void> => {
    if (up) await server.stop();
    up = false;
  };
  return {
    transport: createSesTransport({ client }),
    received: async () =>
      (await server.received()).map((mail) => ({
        identity: mail.headers?.find(({ name }) => name === 'X-Diun-Pilot-Mail')?.value ?? '',
        from: mail.from,
        to: mail.destination.to,
        subject: mail.subject,
        html: mail.body.html ?? '',
        text: mail.body.text ?? '',
        headers: (mail.headers ?? []).map(({ name }) => name.toLowerCase()),
      })),
    takeDown,
    close: takeDown,
  };
});
