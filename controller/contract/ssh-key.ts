import { z } from 'zod';

/** One line of authorized_keys(5), without options. */
export const SshKey = z
  .string()
  .max(4096)
  .regex(
    /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp\d+|sk-[a-z0-9@.-]+) [A-Za-z0-9+/=]+( [\x20-\x7e]*)?$/,
    "must be a public key as in 'id_ed25519.pub'",
  );
