/** The store that tests of what is above stores work with keeps to the same contract. */

import { createMemoryMirrorStore } from '../../../helpers/memoryMirrorStore.ts';
import { describeStore } from './storeContract.ts';

const store = createMemoryMirrorStore();
describeStore('the store in memory', async () => store);
