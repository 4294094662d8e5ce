import type { OtherKind } from '../lab/engine/engine-place';
import { openOtherEngine, type OtherEngine } from '../lab/engine/other-engine';
import type { Stage } from './e2e-stage';

/** A second engine for one file of tests, with these of the lab's images; closed with the stage, after what ran on it. */
export async function besideLab(
  stage: Stage,
  images: string[],
  kind?: OtherKind,
): Promise<{ stage: Stage; engine: OtherEngine['engine'] }> {
  const other = await openOtherEngine(stage.lab, kind);
  stage.closing(() => other.close());
  await other.carry(...images);
  return { stage: stage.on(other.lab), engine: other.engine };
}
