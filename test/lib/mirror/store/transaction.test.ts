import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { TableClient } from '@azure/data-tables';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type Operation, sendTransaction } from '../../../../src/lib/mirror/store/transaction.ts';

/** Replies of the service, as its documentation shows them (performing-entity-group-transactions). */
const crlf = (text: string) => text.trimStart().replaceAll('\n', '\r\n');
const DONE = crlf(`
--batchresponse_4c637ba4-b2f8-40f8-8856-c2d10d163a83
Content-Type: multipart/mixed; boundary=changesetresponse_3daa3e1a-3ef8-4f9d-8a5c-3a5d6e2a3b3f

--changesetresponse_3daa3e1a-3ef8-4f9d-8a5c-3a5d6e2a3b3f
Content-Type: application/http
Content-Transfer-Encoding: binary

HTTP/1.1 204 No Content
X-Content-Type-Options: nosniff
Cache-Control: no-cache
Preference-Applied: return-no-content
DataServiceVersion: 3.0;
Location: https://myaccount.table.core.windows.net/Blogs(PartitionKey='Channel_19',RowKey='1')
DataServiceId: https://myaccount.table.core.windows.net/Blogs (PartitionKey='Channel_19',RowKey='1')
ETag: W/"datetime'2013-08-02T17%3A37%3A43.9004348Z'"

--changesetresponse_3daa3e1a-3ef8-4f9d-8a5c-3a5d6e2a3b3f
Content-Type: application/http
Content-Transfer-Encoding: binary

HTTP/1.1 204 No Content
X-Content-Type-Options: nosniff
Cache-Control: no-cache
DataServiceVersion: 1.0;

--changesetresponse_3daa3e1a-3ef8-4f9d-8a5c-3a5d6e2a3b3f
Content-Type: application/http
Content-Transfer-Encoding: binary

HTTP/1.1 204 No Content
X-Content-Type-Options: nosniff
Cache-Control: no-cache
DataServiceVersion: 1.0;
ETag: W/"datetime'2013-08-02T17%3A37%3A43.9014342Z'"

--changesetresponse_3daa3e1a-3ef8-4f9d-8a5c-3a5d6e2a3b3f--
--batchresponse_4c637ba4-b2f8-40f8-8856-c2d10d163a83--
`);
const FAILED = crlf(`
--batchresponse_06cb0b4f-7f2d-4b2b-9d2c-2c4c1b7b5a3e
Content-Type: multipart/mixed; boundary=changesetresponse_d6bf5cf7-9a2c-4a3f-8d0e-b9f5f8a5d5b1

--changesetresponse_d6bf5cf7-9a2c-4a3f-8d0e-b9f5f8a5d5b1
Content-Type: application/http
Content-Transfer-Encoding: binary

HTTP/1.1 404 Not Found
X-Content-Type-Options: nosniff
Cache-Control: no-cache
DataServiceVersion: 3.0;
Content-Type: application/json;odata=minimalmetadata;streaming=true;charset=utf-8

{"odata.error":{"code":"ResourceNotFound","message":{"lang":"en-US","value":"1:The specified resource does not exist.\\nRequestId:102a2b55-eb35-4254-9daf-854db78a47bd\\nTime:2014-06-04T16:18:20.4307735Z"}}}
--changesetresponse_d6bf5cf7-9a2c-4a3f-8d0e-b9f5f8a5d5b1--
--batchresponse_06cb0b4f-7f2d-4b2b-9d2c-2c4c1b7b5a3e--
`);

const OPERATIONS: readonly Operation[] = [
  { kind: 'insert', rowKey: "it's", members: '"A":1' },
  { kind: 'delete', rowKey: 'b c', etag: 'W/"1"' },
  { kind: 'merge', rowKey: 'd%', etag: 'W/"2"', members: '"A":2' },
];

let table: TableClient;
let asked = '';
let reply = '';
const server = createServer((incoming, response) => {
  asked = '';
  incoming.setEncoding('utf8').on('data', (text: string) => {
    asked += text;
  });
  incoming.on('end', () =>
    response.writeHead(202, { 'content-type': 'multipart/mixed; boundary=batchresponse_1' }).end(reply),
  );
});
beforeAll(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  table = new TableClient(`http://127.0.0.1:${port}/account`, 'Blogs', { allowInsecureConnection: true });
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const send = (text: string) => {
  reply = text;
  return sendTransaction(table, 'p|1', OPERATIONS);
};

describe('a transaction', () => {
  it('asks for its operations in their order, each under its condition', async () => {
    await send(DONE);
    const parts = asked.split(/--changeset_[\w-]+(?:--)?\r\n/).slice(1, -1);
    const head = 'Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n';
    expect(parts.map((part) => part.replace(table.url, 'URL').replace(head, ''))).toEqual([
      expect.stringMatching(/^POST URL\/Blogs HTTP\/1.1\r\n(?!.*If-Match).*Prefer: return-no-content\r\n/s),
      expect.stringMatching(
        /^DELETE URL\/Blogs\(PartitionKey='p%7C1',RowKey='b%20c'\) HTTP\/1.1\r\n.*If-Match: W\/"1"\r\n/s,
      ),
      expect.stringMatching(
        /^PATCH URL\/Blogs\(PartitionKey='p%7C1',RowKey='d%25'\) HTTP\/1.1\r\n.*If-Match: W\/"2"\r\n/s,
      ),
    ]);
    expect(parts[0]).toContain('\r\n\r\n{"PartitionKey":"p|1","RowKey":"it\'s","A":1}\r\n');
    expect(parts[2]).toContain('\r\n\r\n{"PartitionKey":"p|1","RowKey":"d%","A":2}\r\n');
  });

  it('tells the ETag of each', async () => {
    expect(await send(DONE)).toEqual({
      etags: [
        'W/"datetime\'2013-08-02T17%3A37%3A43.9004348Z\'"',
        '',
        'W/"datetime\'2013-08-02T17%3A37%3A43.9014342Z\'"',
      ],
    });
  });

  it('tells the one that it failed for', async () => {
    expect(await send(FAILED)).toEqual({ failure: { status: 404, code: 'ResourceNotFound' }, at: 1 });
    expect(await send(FAILED.replace('1:The', 'The'))).toMatchObject({ at: undefined });
    expect(await send(FAILED.replace('1:The', '99:The'))).toMatchObject({ at: undefined });
    const table = FAILED.replace('ResourceNotFound', 'TableNotFound');
    expect(await send(table)).toMatchObject({ failure: { code: 'TableNotFound' } });
  });

  it('is not taken for done when its reply is cut off anywhere', async () => {
    for (let length = 0; length < DONE.indexOf('--batchresponse', 10) - 60; length += 7) {
      await expect(send(DONE.slice(0, length)), String(length)).rejects.toMatchObject({ name: 'StoreUnavailable' });
    }
  });
});
