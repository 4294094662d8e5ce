import { askEngine } from '../engine/ask-engine';
import type { ImageOrigin } from './build-images';
import { BASE_IMAGES } from './base-images';

/**
 * Where base images can be had: LAB_IMAGES decides if set; else the engine is asked for a public image's digest, since
 * it is the engine that would pull, with its own proxy and mirrors.
 */
export async function imageOrigin(host: string): Promise<ImageOrigin> {
  const wanted = process.env['LAB_IMAGES'];
  if (wanted === 'public' || wanted === 'distribution') return wanted;
  if (wanted) throw new Error(`LAB_IMAGES is "public" or "distribution", not "${wanted}"`);
  const answer = await askEngine(host, `/distribution/${BASE_IMAGES.nginxNew.public}/json`, 10_000);
  return answer?.status === 200 ? 'public' : 'distribution';
}
