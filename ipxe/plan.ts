/** What an iPXE script is to make a machine do. */
export type BootPlan =
  | { readonly kind: 'local' }
  | {
      readonly kind: 'live';
      readonly release: string;
      readonly kernelUrl: string;
      readonly initramfsUrl: string;
      readonly kernelArguments: readonly string[];
    }
  | {
      readonly kind: 'menu';
      readonly title: string;
      /** 0 waits for somebody. */
      readonly timeoutSeconds: number;
      readonly entries: readonly { readonly label: string; readonly isLocked: boolean }[];
      /** Asked for what was picked. */
      readonly scriptUrl: string;
    }
  /** A kernel of the operator's own. */
  | {
      readonly kind: 'kernel';
      readonly label: string;
      readonly kernelUrl: string;
      readonly initramfsUrl: string | undefined;
      readonly kernelArguments: readonly string[];
    }
  | { readonly kind: 'iso'; readonly label: string; readonly url: string }
  | { readonly kind: 'memtest'; readonly firmwareUrl: string }
  /** To begin anew with the VLAN tag that was lost when the network card's own ROM handed over (quirk 26). */
  | { readonly kind: 'vlan'; readonly tag: number }
  /** Back to the menu, from which a locked entry was picked with another password. */
  | { readonly kind: 'refused'; readonly scriptUrl: string }
  | {
      readonly kind: 'wait';
      /** What it waits for, for the console. */
      readonly reason: string;
      /** Asked again after the pause. */
      readonly scriptUrl: string;
    };

/** What the screen says about where the machine is, when it did not boot. */
export interface Whereabouts {
  readonly edge: string;
  readonly segment: string;
}

/**
 * Path and query with which a machine asks for its script. iPXE fills in its own settings; with a server in
 * front it stays below the 128 bytes of DHCP's `file` field.
 */
export const SCRIPT_PATH = '/boot.ipxe?mac=${mac:hexhyp}&uuid=${uuid}&platform=${platform}';
