import { it } from 'vitest';

import { expectHierarchy } from '../scenarios/parentFleet.ts';

it('three levels of 300 edge devices and their children are the hierarchy of the registry', () => expectHierarchy(300));
