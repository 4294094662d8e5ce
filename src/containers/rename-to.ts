import type { Engine } from '../ports/engine';

/** A rename to the name that it has already would be refused. Rejects as `Engine.rename` does. */
export async function renameTo(engine: Engine, id: string, name: string): Promise<void> {
  const { Name: current } = await engine.inspectContainer(id);
  if (current !== `/${name}`) await engine.rename(id, name);
}
