import { readApproval } from '../decisions/read-approval';
import { decideRestoreLink, readRestoreLink, trustOf } from '../decisions/restore-link';
import { decideSoakLink, readSoakLink } from '../decisions/soak-link';
import { readViewLink } from '../decisions/approval-links';
import type { Settings } from '../config/schema';
import { decideApproval } from '../decisions/approve';
import { receiveWebhook } from '../decisions/receive-webhook';
import type { Deps } from '../deps';
import type { HttpDeps } from '../http/deps';
import { schedulerCheck, underMode } from '../http/health/health-report';
import { commitTogether } from '../lib/commit-together';
import type { Secret } from '../lib/secret';
import type { Workplace } from '../queue/workplace';
import type { TimerView } from '../schedule/timer-plans';
import type { Requests } from './requests';
import { version } from './version';

/** What the HTTP side is given. */
export function httpDepsOf(
  settings: Settings,
  deps: Deps,
  workplace: Pick<Workplace, 'wake' | 'state'>,
  requests: Requests & { timers(): TimerView[] },
): HttpDeps {
  const { store, clock, logger } = deps;
  const { webhookTokens, apiToken, publicUrl, trustedProxies, channels, mode } = settings;
  const wake = (): void => workplace.wake();
  return {
    ...{ webhookTokens, apiToken, publicUrl, trustedProxies, channels, mode, store, clock, logger },
    ...requests,
    version: version(),
    receiveWebhook: receiving(deps, wake),
    approvals: approvalsOf(deps, wake, requests),
    restoreLinks: restoreLinksOf(deps, wake),
    soakLinks: {
      read: (token) => readSoakLink(deps, token),
      decide: (token, answer) => {
        const decided = decideSoakLink(deps, token, answer);
        wake();
        return decided;
      },
    },
    viewLinks: { read: (token) => readViewLink(deps, token) },
    notesFetches: () => deps.releaseNotes.fetches(),
    formSecret: settings.approvalSecrets[0] as Secret,
    health: {
      pingEngine: () => deps.engine.version(),
      scheduler: () => underMode(mode, schedulerCheck(workplace.state(), store.timers.all())),
    },
  };
}

function receiving({ store }: Deps, wake: () => void): HttpDeps['receiveWebhook'] {
  const together = commitTogether((work) => store.transaction(work));
  return async (rawBody) => {
    const received = await together(() => receiveWebhook(store.inbox, rawBody));
    wake();
    return received;
  };
}

function approvalsOf(deps: Deps, wake: () => void, requests: Requests): HttpDeps['approvals'] {
  return {
    read: (token) => readApproval(deps, token),
    decide: async (token, answer) => {
      const outcome = await decideApproval(deps, token, answer);
      wake();
      return outcome;
    },
    decideById: (id, decision, by) => requests.decideById(id, decision, by),
  };
}

function restoreLinksOf(deps: Deps, wake: () => void): HttpDeps['restoreLinks'] {
  return {
    read: (token) => readRestoreLink(deps, token),
    trust: (view) => trustOf(deps, view),
    decide: (token, answer) => {
      const decided = decideRestoreLink(deps, token, answer);
      wake();
      return decided;
    },
  };
}
