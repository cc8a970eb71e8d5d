// In place of the class that can be watched: a page has no server to tell over, and nobody to tell in its process.
export { OverlayNode as WatchedNode } from './overlay-node.ts'
