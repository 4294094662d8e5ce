export type When = 'before' | 'after';

/** A port whose every call is announced before and after its effect: what that rejects with, the call does. */
export function announced<T extends object>(port: T, announce: (method: string, when: When) => unknown): T {
  return new Proxy(port, {
    get(of, name) {
      const value: unknown = Reflect.get(of, name);
      if (typeof value !== 'function') return value;
      return async (...args: unknown[]): Promise<unknown> => {
        await announce(String(name), 'before');
        const answer: unknown = await Reflect.apply(value, of, args);
        await announce(String(name), 'after');
        return answer;
      };
    },
  });
}
