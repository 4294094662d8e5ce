import { type DrillVerdict, scopeName } from '../../domain/backups/backup';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { daysLeft } from '../../domain/certificates/certificate';
import { REHEARSAL_ENDS } from '../../domain/rehearsal/rehearsal';
import { UPDATE_STATUSES } from '../../domain/update';
import type { Clock } from '../../lib/clock';
import type { Store } from '../../ports/store';
import type { HttpDeps } from '../deps';
import { channelStates, storedProblems } from '../../diagnosis/problems';
import { PROBLEM_KINDS } from '../../diagnosis/problem';

export interface Metrics {
  registry: Registry;
  /** By outcome, since the start of the process. */
  webhooks: Counter<'outcome'>;
  /** Seconds by method, route template and status. */
  durations: Histogram<'method' | 'route' | 'status'>;
}

/** A registry of its own for each app. What the store knows is read when Prometheus asks. */
export function createMetrics(deps: Pick<HttpDeps, 'store' | 'clock' | 'channels' | 'notesFetches'>): Metrics {
  const { store, clock } = deps;
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  gaugesOfUpdates(store, registry);
  gaugeOfRehearsals(store, registry);
  counterOfNotes(deps, registry);
  gaugesOfOutbox(store, registry);
  gaugesOfChannels(deps, registry);
  gaugeOfBackups(store, registry);
  gaugesOfDrills(store, registry);
  gaugeOfCertificates(store, clock, registry);
  gaugeOfProblems(deps, registry);
  return {
    registry,
    webhooks: new Counter({
      name: 'diun_pilot_webhooks_total',
      help: 'Requests to /webhooks/diun by outcome',
      labelNames: ['outcome'],
      registers,
    }),
    durations: new Histogram({
      name: 'diun_pilot_http_request_duration_seconds',
      help: 'Time to answer by route template',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
      registers,
    }),
  };
}

function gaugesOfUpdates(store: Store, registry: Registry): void {
  new Gauge({
    name: 'diun_pilot_updates',
    help: 'Updates by status',
    labelNames: ['status'],
    registers: [registry],
    collect() {
      const counted = store.updates.countByStatus();
      for (const status of UPDATE_STATUSES) this.set({ status }, counted[status] ?? 0);
    },
  });
}

function gaugeOfRehearsals(store: Store, registry: Registry): void {
  new Gauge({
    name: 'diun_pilot_rehearsals',
    help: 'Rehearsals by how they ended',
    labelNames: ['status'],
    registers: [registry],
    collect() {
      const counted = store.rehearsals.countByStatus();
      for (const status of REHEARSAL_ENDS) this.set({ status }, counted[status] ?? 0);
    },
  });
}

/** Since the start of the process. */
function counterOfNotes({ notesFetches }: Pick<HttpDeps, 'notesFetches'>, registry: Registry): void {
  new Counter({
    name: 'diun_pilot_release_notes_fetches_total',
    help: 'Projects whose release notes were requested, by outcome',
    labelNames: ['outcome'],
    registers: [registry],
    collect() {
      this.reset();
      const { ok, failed } = notesFetches();
      this.inc({ outcome: 'ok' }, ok);
      this.inc({ outcome: 'failed' }, failed);
    },
  });
}

function gaugesOfOutbox(store: Store, registry: Registry): void {
  for (const [field, help] of [
    ['pending', 'Mails waiting to be delivered'],
    ['refused', 'Mails that the mail server refused for good'],
  ] as const) {
    new Gauge({
      name: `diun_pilot_outbox_${field}`,
      help,
      registers: [registry],
      collect() {
        this.set(store.outbox.state()[field]);
      },
    });
  }
}

function gaugesOfChannels(deps: Pick<HttpDeps, 'store' | 'channels'>, registry: Registry): void {
  for (const [field, help] of [
    ['pending', 'Notices waiting to be delivered to a channel'],
    ['refused', 'Notices that a channel refused for good'],
  ] as const) {
    new Gauge({
      name: `diun_pilot_channel_${field}`,
      help,
      labelNames: ['channel'],
      registers: [registry],
      collect() {
        for (const state of channelStates(deps)) this.set({ channel: state.name }, state[field]);
      },
    });
  }
}

function gaugeOfBackups(store: Store, registry: Registry): void {
  new Gauge({
    name: 'diun_pilot_last_successful_backup_timestamp_seconds',
    help: 'When the newest good backup of a project ended',
    labelNames: ['project'],
    registers: [registry],
    collect() {
      this.reset();
      const succeeded = store.backups.list(500).filter((record) => record.status === 'succeeded');
      for (const record of succeeded.reverse()) {
        const seconds = Date.parse(record.finishedAt ?? record.createdAt) / 1000;
        this.set({ project: scopeName(record) }, seconds);
      }
    },
  });
}

/** Skipped drills are not exported; they say nothing about the backup. */
function gaugesOfDrills(store: Store, registry: Registry): void {
  const gauges = [
    ['success', 'Whether the last restore drill of a project passed', (drill) => (drill.status === 'passed' ? 1 : 0)],
    ['timestamp_seconds', 'When the last restore drill of a project ended', (drill) => Date.parse(drill.at) / 1000],
  ] as const satisfies [string, string, (drill: DrillVerdict) => number][];
  for (const [name, help, value] of gauges) {
    new Gauge({
      name: `diun_pilot_backup_drill_${name}`,
      help,
      labelNames: ['project'],
      registers: [registry],
      collect() {
        this.reset();
        for (const { drill, ...place } of store.backups.lastDrills())
          this.set({ project: scopeName(place) }, value(drill));
      },
    });
  }
}

/** Of two servers of one name, the certificate that ends first. */
function gaugeOfCertificates(store: Store, clock: Clock, registry: Registry): void {
  new Gauge({
    name: 'diun_pilot_certificate_days_left',
    help: 'Whole days until a certificate ends, as on disk and as served',
    labelNames: ['name', 'where'],
    registers: [registry],
    collect() {
      this.reset();
      const known = store.certificates
        .list()
        .flatMap(({ name, disk, served }) =>
          Object.entries({ disk, served }).flatMap(([where, certificate]) =>
            certificate === null ? [] : [{ name, where, days: daysLeft(certificate, clock.now()) }],
          ),
        );
      for (const { name, where, days } of known.sort((a, b) => b.days - a.days)) this.set({ name, where }, days);
    },
  });
}

/** Kinds without a problem too, so that a rule can tell none from not known. */
function gaugeOfProblems(deps: Parameters<typeof storedProblems>[0], registry: Registry): void {
  const stored = Object.values(storedProblems(deps));
  new Gauge({
    name: 'diun_pilot_problems',
    help: 'Problems that /health reports, by kind',
    labelNames: ['kind'],
    registers: [registry],
    collect() {
      const problems = stored.flatMap((read) => read());
      for (const kind of PROBLEM_KINDS) this.set({ kind }, problems.filter((problem) => problem.kind === kind).length);
    },
  });
}
