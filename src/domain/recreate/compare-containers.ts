import type { ContainerInspect, ImageInspect, Mount } from '../engine-inspect';
import { actualConfig, expectedConfig } from './config-facts';
import { normalise, type ComparableFields } from './facts';
import { hostFacts } from './host-facts';
import { cleanPath } from './own-mounts';
import { ownEndpoints } from './own-networks';

/** One difference, as text. Values of environment and labels are not shown: they may be secret. */
export interface Difference {
  field: string;
  before: string;
  after: string;
}

/** Differences that the images may cause. */
export interface ComparedImages {
  oldImage: ImageInspect;
  newImage: ImageInspect;
  /** Labels that the update itself sets, as given to `createRequest`. */
  labels?: Record<string, string>;
}

/**
 * What differs between a container and its replacement, which is created but not started yet: mounts, networks, ports and
 * every other setting of the operator. A change by the new image is not a difference, except a volume that it newly
 * declares. Pure; empty: they are the same.
 */
export function differences(before: ContainerInspect, after: ContainerInspect, images: ComparedImages): Difference[] {
  return [
    ...unequal(expectedConfig(before, images), actualConfig(after)).map(withoutSecrets),
    ...unequal(mountFacts(before), mountFacts(after)),
    ...unequal(networkFacts(before), networkFacts(after)),
    ...unequal(hostFacts(before), hostFacts(after)),
  ];
}

function unequal(before: ComparableFields, after: ComparableFields): Difference[] {
  const fields = [...new Set([...before.keys(), ...after.keys()])].sort();
  return fields
    .map((field) => ({ field, before: before.get(field) ?? 'none', after: after.get(field) ?? 'none' }))
    .filter((found) => found.before !== found.after);
}

function withoutSecrets({ field, before, after }: Difference): Difference {
  if (!field.startsWith('Env ') && !field.startsWith('Labels ')) return { field, before, after };
  const both = before !== 'none' && after !== 'none';
  return { field, before: hidden(before, 'one value', both), after: hidden(after, 'another value', both) };
}

function hidden(value: string, instead: string, both: boolean): string {
  if (value === 'none') return 'none';
  return both ? instead : 'a value';
}

function mountFacts({ Mounts }: ContainerInspect): ComparableFields {
  return new Map(Mounts.map((mount) => [`Mounts ${cleanPath(mount.Destination)}`, mountText(mount)]));
}

function mountText({ Type, Name, Source, RW, Propagation }: Mount): string {
  const from = Type === 'volume' ? (Name ?? Source) : Source;
  return [Type, from, RW ? 'writable' : 'read-only', Propagation ?? ''].filter(Boolean).join(' ');
}

function networkFacts(container: ContainerInspect): ComparableFields {
  const own = Object.entries(ownEndpoints(container));
  return new Map(own.map(([network, endpoint]) => [`Networks ${network}`, normalise(endpoint) ?? 'joined']));
}
