export { openDoor, sessionSuffix, socketOf } from "./door.ts";
export { busName, chooseBus, type OwnWorker, ownWorker, peerRow } from "./own.ts";
export { runWorkers } from "./run.ts";
