import assert from 'node:assert/strict';
import { test } from 'node:test';
import { debianSources, proxyEnvironment, releaseUrls } from './apt-sources.ts';

const DEB822 = {
  name: 'debian.sources',
  text: `# Of the installer
Types: deb deb-src
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates bookworm-backports
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
Signed-By:
 /usr/share/keyrings/debian-archive-keyring.gpg
`,
};

test('the suite, its updates and its security are taken, and nothing else', () => {
  assert.equal(
    debianSources([DEB822], 'bookworm', ['main', 'non-free-firmware']),
    `Types: deb
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main non-free-firmware
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main non-free-firmware
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`,
  );
});

test('one-line entries are read with their options and comments', () => {
  const text = `# deb http://old.example/debian bookworm main
deb-src http://mirror.example/debian bookworm main
deb [arch=amd64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://mirror.example/debian bookworm main # base
`;
  assert.equal(
    debianSources([{ name: 'sources.list', text }], 'bookworm', ['main']),
    `Types: deb
URIs: http://mirror.example/debian
Suites: bookworm
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`,
  );
});

const NOT_DEBIAN = [
  ['another suite', 'deb http://mirror.example/debian trixie main'],
  ['a vendor with a component of its own', 'deb https://vendor.example/debian bookworm stable'],
  [
    'a vendor with a key of its own',
    'deb [signed-by=/etc/apt/keyrings/vendor.asc] https://vendor.example bookworm main',
  ],
  ['a folder of this host', 'deb file:/srv/debian bookworm main'],
  ['updates without the suite', 'deb http://mirror.example/debian bookworm-updates main'],
] as const;

for (const [what, text] of NOT_DEBIAN) {
  test(`${what} is no source of the suite`, () => {
    assert.equal(debianSources([{ name: 'x.list', text }], 'bookworm', ['main']), undefined);
  });
}

test('a disabled entry is no source', () => {
  const text = DEB822.text.replaceAll('Types:', 'Enabled: no\nTypes:');
  assert.equal(debianSources([{ ...DEB822, text }], 'bookworm', ['main']), undefined);
});

test('the proxies of apt are passed on', () => {
  const dump =
    'Acquire "";\nAcquire::http "";\nAcquire::http::Proxy "http://cache.example:3142";\nAcquire::https::Proxy "DIRECT";\n';
  assert.deepEqual(proxyEnvironment(dump), { http_proxy: 'http://cache.example:3142' });
});

test('the Release files of sources, each once', () => {
  const text =
    'URIs: http://m/debian/ http://n/debian\nSuites: bookworm bookworm-updates\n\nURIs: http://m/debian\nSuites: bookworm\n';
  assert.deepEqual(releaseUrls(text), [
    'http://m/debian/dists/bookworm/InRelease',
    'http://m/debian/dists/bookworm-updates/InRelease',
    'http://n/debian/dists/bookworm/InRelease',
    'http://n/debian/dists/bookworm-updates/InRelease',
  ]);
});
