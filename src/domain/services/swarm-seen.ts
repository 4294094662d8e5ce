import type { Container } from '../container';

/** What `check` and the page show of the Swarm: on a manager its services, as policy sees them. */
export interface SwarmSeen {
  role: 'none' | 'worker' | 'manager';
  services: Container[];
}
