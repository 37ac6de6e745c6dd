import { type Change, enable, file } from './view.ts';

const UNIT = 'bootswarm-first-boot.service';
const UNIT_PATH = `/etc/systemd/system/${UNIT}`;
const SCRIPT_PATH = '/usr/local/sbin/bootswarm-first-boot';

/**
 * A unit that fetches a URL of the edge once the system is up, again and again until it is answered, and then takes
 * itself away. It needs one of curl, wget, python3 and bash.
 * @throws TypeError for what is no URL of HTTP.
 */
export function firstBootChanges(url: string): readonly Change[] {
  return [file(SCRIPT_PATH, scriptText(url), 0o755), file(UNIT_PATH, UNIT_TEXT), enable(UNIT_PATH, UNIT)];
}

/** By which the script can ask. */
export const FIRST_BOOT_PROGRAMS = ['curl', 'wget', 'python3', 'bash'] as const;

// It begins while the system may still be starting, and holds up nothing that waits for multi-user.target.
const UNIT_TEXT = `[Unit]
Description=Tell the edge that this system is up, once
After=network.target sshd.service ssh.service
ConditionPathExists=${SCRIPT_PATH}
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart=${SCRIPT_PATH}
Restart=on-failure
RestartSec=10

[Install]
WantedBy=multi-user.target
`;

function scriptText(text: string): string {
  const url = new URL(text);
  if (!/^https?:$/.test(url.protocol)) throw new TypeError(`no URL of HTTP: ${text}`);
  const quoted = (word: string): string => `'${word.replaceAll("'", '%27')}'`;
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
  // bash knows no TLS, so that it asks nobody who would speak it.
  const programs = FIRST_BOOT_PROGRAMS.filter((name) => name !== 'bash' || url.protocol === 'http:');
  return `#!/bin/sh
# By Bootswarm: tells the edge, once, that the system that it installed is up.
url=${quoted(url.href)}
by_curl() { curl -sS --max-time 20 -o /dev/null -w '%{http_code}' "$url"; }
by_wget() {
  wget -S -T 20 -O /dev/null "$url" 2>&1 | sed -n 's|.*HTTP/1[.][01] \\([0-9][0-9][0-9]\\).*|\\1|p' | tail -n 1
}
by_python3() {
  python3 -c '
import sys, urllib.request, urllib.error
try: print(urllib.request.urlopen(sys.argv[1], timeout=20).status)
except urllib.error.HTTPError as error: print(error.code)' "$url"
}
by_bash() {
  bash -c 'exec 3<>"/dev/tcp/$1/$2" || exit 1
    printf "GET %s HTTP/1.0\\r\\nHost: %s\\r\\n\\r\\n" "$3" "$1:$2" >&3
    read -r -t 20 _ code _ <&3
    echo "$code"' bash ${quoted(url.hostname)} ${quoted(port)} ${quoted(url.pathname + url.search)}
}
ask() {
  for program in ${programs.join(' ')}; do
    command -v "$program" >/dev/null 2>&1 || continue
    # 410: it was heard before and the answer was lost, or nobody waits for it any more.
    case $("by_$program" 2>/dev/null) in 2?? | 410) return 0 ;; esac
  done
  return 1
}
pause=1
until ask; do
  sleep "$pause"
  [ "$pause" -ge 30 ] || pause=$((pause * 2))
done
rm -f /etc/systemd/system/multi-user.target.wants/${UNIT} ${UNIT_PATH} ${SCRIPT_PATH}
`;
}
