import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import { apiError } from '../hosting/apiTexts.ts';
import { runs } from '../services.ts';

const MOST = 200;

/** `GET /api/runs?limit=50`: run records, newest first; and runs whose record cannot be read, with what to do. */
export async function runsOnHttp(request: HttpRequest): Promise<HttpResponseInit> {
  const text = request.query.get('limit') ?? '50';
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST) {
    return apiError('limitInvalid', [{ most: MOST }]);
  }
  const { records, damaged } = await runs.survey({ limit });
  return { jsonBody: { runs: records, damaged } };
}
