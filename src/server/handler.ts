/** How handlers bind to routes. */
import type { RouteName } from '../api/routes.ts';
import type { Reply } from './reply.ts';
import type { ApiRequest } from './request.ts';

/** Answers one request. What it throws becomes Docker's error answer. */
export type Handler = (request: ApiRequest, reply: Reply) => void | Promise<void>;

/** Handlers by route name; a route without one answers 501. */
export type Handlers = Partial<Record<RouteName, Handler>>;
