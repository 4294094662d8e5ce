import { readNotifyUrls } from '../../../src/config/urls';

const read = (text: string) => {
  const result = readNotifyUrls(text);
  return 'problem' in result
    ? result.problem
    : result.value.map(({ url, ...rest }) => ({ ...rest, url: url.reveal() }));
};

test('each form is a kind with an http address', () => {
  const forms = [
    ['ntfy://ntfy/alerts', 'ntfy', 'http://ntfy/alerts'],
    ['ntfys://user:pw@ntfy.example.org/alerts', 'ntfy', 'https://user:pw@ntfy.example.org/alerts'],
    ['webhook+https://example.org/hook?a=1', 'webhook', 'https://example.org/hook?a=1'],
    ['apprise+http://apprise:8000/notify/home', 'apprise', 'http://apprise:8000/notify/home'],
    ['slack+https://hooks.slack.com/services/T/B/x', 'slack', 'https://hooks.slack.com/services/T/B/x'],
    ['discord+https://discord.com/api/webhooks/1/x', 'discord', 'https://discord.com/api/webhooks/1/x'],
    ['mattermost+https://chat.example.org/hooks/x', 'mattermost', 'https://chat.example.org/hooks/x'],
  ] as const;
  for (const [text, kind, url] of forms) {
    expect(read(text)).toMatchObject([{ kind, url, topics: ['decisions', 'failures'] }]);
  }
});

test('a comma in ?on= separates topics, and one before a scheme separates channels', () => {
  const text = 'ntfy://a/one?on=decisions,failures,successes, slack+https://b/hook?on=failures';
  expect(read(text)).toMatchObject([
    { kind: 'ntfy', url: 'http://a/one', topics: ['decisions', 'failures', 'successes'] },
    { kind: 'slack', url: 'https://b/hook', topics: ['failures'] },
  ]);
});

test('neither the id nor the name holds a topic, a path or a password', () => {
  const [channel] = read('ntfys://user:hunter2@ntfy.example.org/secret-topic') as { id: string; name: string }[];
  expect(channel).toMatchObject({ name: 'ntfy at ntfy.example.org', id: expect.stringMatching(/^ntfy-[0-9a-f]{12}$/) });
});

test('channels at one host are numbered, so that no two have the same name', () => {
  const text =
    'ntfys://ntfy.sh/a,ntfy://ntfy.sh/b,ntfys://ntfy.sh.example/a,webhook+https://ntfy.sh/a,ntfys://ntfy.sh/c';
  expect((read(text) as { name: string }[]).map(({ name }) => name)).toEqual([
    ...[
      'ntfy at ntfy.sh',
      'ntfy at ntfy.sh (2)',
      'ntfy at ntfy.sh.example',
      'webhook at ntfy.sh',
      'ntfy at ntfy.sh (3)',
    ],
  ]);
});

test.each([
  ['https://example.org', /must be addresses/],
  ['ntfy+https://host/topic', /must be addresses/],
  ['slack+ftp://host/x', /must be addresses/],
  ['slack+http+https://host/x', /must be addresses/],
  ['ntfy://host', /needs a topic/],
  ['ntfy://host/a/b', /needs a topic/],
  ['apprise+https://host/notify', /needs the key/],
  ['ntfy://host/topic?on=everything', /\?on=/],
  ['ntfy://host/topic?on=', /\?on=/],
  ['ntfy://host/topic#x', /#/],
  ['ntfy://u:%zz@host/topic', /%25/],
  ['ntfy://host/topic,ntfy://host/topic?on=failures', /twice/],
])('%s is refused', (text, problem) => {
  expect(read(text)).toMatch(problem);
});
