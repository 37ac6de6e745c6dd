import { z } from 'zod';
import { DhcpPolicy } from './dhcp-policy.ts';
import type { Endpoint } from './endpoint.ts';
import { MiniSetting } from './mini.ts';
import { Name } from './names.ts';
import { PageQuery } from './page.ts';
import { ReleaseRef } from './release-ref.ts';
import { Segment } from './segment.ts';

const ByName = z.object({ name: Name });
const Nothing = z.strictObject({});

/** Segments, the policy of all of them, and the mini image into which their machines boot. */
export const networkEndpoints = {
  listSegments: {
    method: 'get',
    path: '/v1/segments',
    summary: 'All segments',
    paged: 'segment',
    audience: 'operator',
    query: z.object(PageQuery),
    result: z.array(Segment),
  },
  addSegment: {
    method: 'post',
    path: '/v1/segments',
    summary: 'Add a segment',
    audience: 'operator',
    body: Segment,
    result: Segment,
  },
  showSegment: {
    method: 'get',
    path: '/v1/segments/{name}',
    summary: 'One segment',
    tagged: 'segment',
    audience: 'operator',
    params: ByName,
    result: Segment,
  },
  replaceSegment: {
    method: 'put',
    path: '/v1/segments/{name}',
    summary: 'Put a segment in the place of the one of that name, or add it',
    tagged: 'segment',
    audience: 'operator',
    params: ByName,
    body: Segment,
    result: Segment,
  },
  removeSegment: {
    method: 'delete',
    path: '/v1/segments/{name}',
    summary: 'Remove a segment: its edges stop serving it',
    tagged: 'segment',
    audience: 'operator',
    params: ByName,
    result: Nothing,
  },

  showPolicy: {
    method: 'get',
    path: '/v1/dhcp-policy',
    summary: 'DHCP options and classes that hold in every segment',
    tagged: 'policy',
    audience: 'operator',
    result: DhcpPolicy,
  },
  replacePolicy: {
    method: 'put',
    path: '/v1/dhcp-policy',
    summary: 'Put other DHCP options and classes in the place of those that hold in every segment',
    tagged: 'policy',
    audience: 'operator',
    body: DhcpPolicy,
    result: DhcpPolicy,
  },

  showMini: {
    method: 'get',
    path: '/v1/mini',
    summary: 'The mini image of each architecture',
    audience: 'operator',
    result: MiniSetting,
  },
  useMini: {
    method: 'put',
    path: '/v1/mini',
    summary: 'Use a release as the mini image of its architecture',
    audience: 'operator',
    body: z.strictObject({ release: ReleaseRef }),
    result: MiniSetting,
  },
} as const satisfies Readonly<Record<string, Endpoint>>;
