// Follows one update: fills the elements that the server has rendered (pages/live-page.tsx) from the update's JSON.
// Strings come from outside: they are put into the page by textContent only.
(() => {
  'use strict';
  const OPEN = ['awaiting_approval', 'queued', 'running'];
  const TONES = {
    awaiting_approval: 'attention',
    queued: 'notice',
    running: 'notice',
    succeeded: 'good',
    failed: 'attention',
    rolled_back: 'attention',
    rollback_failed: 'alarm',
  };
  const address = `${location.pathname.replace(/\/+$/, '')}/events`;
  const place = (id) => document.getElementById(id);
  let serverIsAhead = 0;
  let update = null;

  const codeAsText = (code) => {
    const words = code.replaceAll('_', ' ');
    return words.charAt(0).toUpperCase() + words.slice(1);
  };
  const clean = (line) => line.replace(/[\p{Cc}\p{Cf}]/gu, '');
  const formatDuration = (ms) => {
    if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
    const seconds = Math.round(ms / 1000);
    if (seconds < 60) return `${seconds} s`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
    return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  };
  // In the zone of the server, as in mails and in the rest of the page.
  const { timeZone } = document.documentElement.dataset;
  const days = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' });
  const zones = new Intl.DateTimeFormat('en-GB', { timeZone, timeZoneName: 'short' });
  const formatTime = (iso) => {
    const at = new Date(iso);
    const zone = zones.formatToParts(at).find(({ type }) => type === 'timeZoneName');
    return `${days.format(at)} ${zone === undefined ? timeZone : zone.value}`;
  };
  // Written only when it differs: a screen reader announces what changes, and a selection survives.
  const write = (element, text) => {
    if (element.textContent !== text) element.textContent = text;
  };

  /** The first line is a sentence, the rest is the output of a program. */
  const said = (element, sentence, text) => {
    const [first = '', ...rest] = (text ?? '').trim().split(/\r\n|[\n\r\u0085\u2028\u2029]/);
    const output = element.querySelector('.output');
    write(sentence, clean(first));
    write(output, rest.slice(-60).map(clean).join('\n'));
    output.hidden = rest.length === 0;
    const fold = output.closest('details');
    if (fold !== null) fold.hidden = output.hidden;
  };

  const took = ({ startedAt, finishedAt }) => {
    const end = finishedAt === null ? Date.now() + serverIsAhead : Date.parse(finishedAt);
    const span = formatDuration(end - Date.parse(startedAt));
    return finishedAt === null
      ? `for ${span}, since ${formatTime(startedAt)}`
      : `${span}, started ${formatTime(startedAt)}`;
  };

  const showStep = (step) => {
    const item = place(`step-${step.name}`);
    if (item === null) return;
    item.hidden = false;
    item.className = step.status;
    write(item.querySelector('.state'), codeAsText(step.status));
    write(item.querySelector('.took'), took(step));
    said(item, item.querySelector('.detail'), step.detail);
  };

  const show = () => {
    const { status, reason, steps, error, followUp } = update;
    const badge = place('status');
    write(badge, codeAsText(status));
    badge.className = `badge ${TONES[status] ?? 'quiet'}`;
    write(place('reason'), clean(reason));
    document.title = document.title.replace(/^[^:]*/, codeAsText(status));
    steps.forEach(showStep);
    place('error').hidden = error === null;
    place('error').className = `notice ${status === 'rollback_failed' ? 'alarm' : 'attention'}`;
    said(place('error'), place('error').querySelector('p'), error === null ? '' : error.message);
    const open = OPEN.includes(status);
    place('followup').hidden = followUp === null || !(open || status === 'succeeded');
    write(place('followup').querySelector('h2'), open ? 'What to do afterwards' : 'What is left to do');
    write(place('followup').querySelector('p'), clean(followUp ?? ''));
    place('ended').hidden = open;
    if (place('going') !== null) place('going').hidden = !open;
  };

  const showConnection = (words) => {
    place('connection').hidden = words === '';
    write(place('connection'), words);
  };

  const follow = () => {
    const stream = new EventSource(address);
    stream.addEventListener('open', () => showConnection(''));
    stream.addEventListener('update', (event) => {
      serverIsAhead = Number(event.lastEventId) - Date.now();
      update = JSON.parse(event.data);
      show();
      if (!OPEN.includes(update.status)) stream.close();
    });
    stream.addEventListener('error', () => {
      showConnection('Not connected: this page may be out of date. Reconnecting …');
      // A browser gives up for good when a proxy answers with an error, as it does while nginx itself is updated.
      if (stream.readyState !== EventSource.CLOSED) return;
      setTimeout(follow, 3000);
    });
  };

  setInterval(() => {
    if (update !== null) update.steps.filter(({ status }) => status === 'running').forEach(showStep);
  }, 1000);
  follow();
})();
