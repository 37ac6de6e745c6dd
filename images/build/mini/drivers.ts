/**
 * Kernel modules of the mini image, by what they are for: images/decisions/0008 says why these. Names as modprobe takes them;
 * what they need themselves is added. A kernel need not have all of them: the build tells which it has not.
 */

/** Whatever a hypervisor may show its guests. */
const VIRTUAL = [
  ...['virtio_pci', 'virtio_mmio', 'virtio_net', 'virtio_blk', 'virtio_scsi', 'virtio_rng', 'virtio_console'],
  ...['virtio_balloon', 'vmxnet3', 'vmw_pvscsi', 'vmw_balloon', 'ena', 'gve', 'mana'],
  ...['hv_vmbus', 'hv_netvsc', 'hv_storvsc', 'hv_utils', 'xen_netfront', 'xen_blkfront', 'xen_scsifront'],
  // What QEMU, VirtualBox and VMware emulate where nothing better is chosen.
  ...['e1000', 'e1000e', 'igb', '8139cp', 'ahci', 'ata_piix', 'nvme', 'mptspi', 'mptsas', 'sym53c8xx'],
];

/** Virtual functions that a hypervisor passes through to its guests. */
const PASSED_THROUGH = ['ixgbevf', 'iavf', 'igbvf', 'mlx4_en', 'mlx5_core', 'cxgb4vf'];

/** Disks, whatever the machine. */
const DISKS = [
  'sd_mod',
  'sr_mod',
  'sg',
  'ses',
  'usb_storage',
  'uas',
  'xhci_pci',
  'ehci_pci',
  'uhci_hcd',
  'ohci_pci',
];

const FILE_SYSTEMS = [
  ...['ext4', 'xfs', 'vfat', 'squashfs', 'overlay', 'isofs', 'udf', 'loop', 'efivarfs', 'configfs'],
  ...['nls_ascii', 'nls_cp437', 'nls_iso8859_1', 'nls_utf8'],
];

const VOLUMES = [
  ...['dm_mod', 'dm_snapshot', 'dm_mirror', 'dm_thin_pool', 'dm_crypt', 'dm_raid'],
  ...['raid0', 'raid1', 'raid10', 'raid456', 'linear', 'multipath'],
];

/** Cards and boards of servers, 1 to 400 Gb/s, and what stands in labs. */
const SERVER_NICS = [
  // Intel
  ...['e1000', 'e1000e', 'igb', 'igbvf', 'igc', 'ixgbe', 'ixgbevf', 'i40e', 'iavf', 'ice'],
  // Broadcom
  ...['tg3', 'bnx2', 'bnx2x', 'bnxt_en'],
  // NVIDIA Mellanox
  ...['mlx4_en', 'mlx5_core'],
  // Marvell: QLogic, Cavium, Aquantia
  ...['qede', 'qlcnic', 'qla3xxx', 'netxen_nic', 'liquidio', 'atlantic', 'sky2'],
  // Chelsio, Emulex, Cisco, Solarflare, Netronome, AMD, Brocade, Huawei, Neterion, Myricom
  ...['cxgb3', 'cxgb4', 'cxgb4vf', 'be2net', 'enic', 'sfc', 'sfc_siena', 'sfc_falcon', 'nfp', 'amd_xgbe'],
  ...['bna', 'hinic', 'myri10ge'],
  // Realtek and others of small boards, and the dongles of benches
  ...['r8169', '8139too', 'alx', 'atl1c', 'forcedeth', 'stmmac', 'dwmac_intel'],
  ...['r8152', 'ax88179_178a', 'asix', 'cdc_ether', 'cdc_ncm', 'smsc95xx', 'smsc75xx'],
];

/** Whole networks ride on the first; by the last the agent hears switches. */
const LINKS = ['bonding', '8021q', 'af_packet', 'macvtap'];

const SERVER_DISKS = [
  // On board
  ...[
    'ahci',
    'ata_piix',
    'ata_generic',
    'isci',
    'sata_nv',
    'sata_sil24',
    'sata_mv',
    'sata_via',
    'nvme',
    'vmd',
  ],
  // RAID cards and host adapters
  ...['megaraid_sas', 'megaraid_mbox', 'mpt3sas', 'mpi3mr', 'mptsas', 'mptspi', 'mvsas', 'pm80xx'],
  ...['smartpqi', 'hpsa', 'aacraid', 'arcmsr', '3w_9xxx', '3w_sas', 'ipr', 'stex'],
  // Fibre Channel, whose disks are found where the fabric shows them
  ...['lpfc', 'qla2xxx', 'scsi_dh_alua', 'scsi_dh_rdac', 'scsi_dh_emc'],
  // Card readers and the boards' own flash
  ...['sdhci_pci', 'sdhci_acpi', 'mmc_block'],
];

/** Baseboard controllers, inventories, watchdogs, and a person's keyboard. */
const BOARD = [
  ...['ipmi_si', 'ipmi_ssif', 'ipmi_devintf', 'dmi_sysfs', 'iTCO_wdt', 'sp5100_tco', 'i2c_i801', 'i2c_piix4'],
  ...['usbhid', 'hid_generic', 'atkbd', 'i8042', 'coretemp', 'k10temp', 'acpi_power_meter', 'watchdog'],
  ...['efi_pstore', 'tpm_tis', 'tpm_crb'],
];

/**
 * Cards that stay dead without a blob that their maker does not give away freely, so that Debian's main has none. The
 * driver alone would be weight: it comes with its blob, or not at all.
 */
export const FIRMWARE_BOUND: ReadonlySet<string> = new Set([
  ...['bnx2', 'bnx2x', 'qede', 'liquidio', 'nfp', 'bna', 'cxgb3'],
]);

export const FLAVOURS = ['full', 'vm'] as const;
/** `full` is for servers and everything else; `vm` has no drivers of hardware. */
export type Flavour = (typeof FLAVOURS)[number];

/** Modules by flavour; one may stand in several groups. */
export const DRIVERS: Readonly<Record<Flavour, Readonly<Record<string, readonly string[]>>>> = {
  full: {
    virtual: VIRTUAL,
    network: [...SERVER_NICS, ...LINKS],
    disks: [...DISKS, ...SERVER_DISKS],
    'file systems': FILE_SYSTEMS,
    volumes: VOLUMES,
    board: BOARD,
  },
  vm: {
    virtual: [...VIRTUAL, ...PASSED_THROUGH],
    network: LINKS,
    disks: DISKS,
    'file systems': FILE_SYSTEMS,
    volumes: VOLUMES,
    board: ['atkbd', 'i8042', 'usbhid', 'hid_generic'],
  },
};
