// Debian's Chromium, one for a test file; a fresh context for every test.

import http from 'node:http';
import { after, before } from 'node:test';

import { chromium } from 'playwright-core';

const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage'];

export function useChromium() {
  let browser;
  before(async () => {
    browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args });
  });
  after(() => browser.close());

  // A page of a context of its own; what its script throws fails the test.
  return async function openPage(scope, url, options = {}) {
    const context = await browser.newContext({ ignoreHTTPSErrors: true, ...options });
    const errors = [];
    scope.after(async () => {
      await context.close();
      if (errors.length > 0) throw new Error(`the page's script failed: ${errors.join('; ')}`);
    });
    const page = await context.newPage();
    page.on('pageerror', (error) => errors.push(error.message));
    page.setDefaultTimeout(20_000);
    await page.goto(url);
    return page;
  };
}

// The address of an empty page on a port of its own: a page of no site may not reach loopback
// addresses.
export async function blankPage(scope) {
  const server = http.createServer((request, response) => {
    response.setHeader('Content-Type', 'text/html; charset=utf-8');
    response.end('<!DOCTYPE html><title>blank</title><input type="file">');
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  scope.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${server.address().port}/`;
}
