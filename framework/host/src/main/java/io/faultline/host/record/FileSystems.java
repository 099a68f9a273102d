// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.host.record;

import java.util.Map;
import java.util.Set;

/** File systems by the number that {@code statfs(2)} gives them ({@code linux/magic.h}). */
final class FileSystems {
  private static final int ST_NOEXEC = 8;

  private static final Map<Long, String> NAMES = Map.ofEntries(
      Map.entry(0xEF53L, "ext4"), Map.entry(0x01021994L, "tmpfs"),
      Map.entry(0x58465342L, "xfs"), Map.entry(0x9123683EL, "btrfs"),
      Map.entry(0x794C7630L, "overlay"), Map.entry(0x9FA0L, "proc"),
      Map.entry(0x62656572L, "sysfs"), Map.entry(0x50495045L, "pipefs"),
      Map.entry(0x534F434BL, "sockfs"), Map.entry(0x09041934L, "anon_inodefs"),
      Map.entry(0x65735546L, "fuse"), Map.entry(0x6969L, "nfs"),
      Map.entry(0x73717368L, "squashfs"), Map.entry(0xE0F5E1E2L, "erofs"),
      Map.entry(0x858458F6L, "ramfs"), Map.entry(0x958458F6L, "hugetlbfs"),
      Map.entry(0x63677270L, "cgroup2"), Map.entry(0x27E0EBL, "cgroup"),
      Map.entry(0x64626720L, "debugfs"), Map.entry(0x74726163L, "tracefs"),
      Map.entry(0x73636673L, "securityfs"), Map.entry(0x1CD1L, "devpts"),
      Map.entry(0x4D44L, "vfat"), Map.entry(0xF2F52010L, "f2fs"),
      Map.entry(0x01021997L, "9p"), Map.entry(0xCAFE4A11L, "bpf"),
      Map.entry(0x9660L, "isofs"), Map.entry(0x2FC12FC1L, "zfs"),
      Map.entry(0x19800202L, "mqueue"));

  /** Those that the kernel itself marks as not to be executed from, whatever the mount says. */
  private static final Set<String> NEVER_EXECUTABLE = Set.of(
      "proc", "sysfs", "pipefs", "sockfs", "anon_inodefs", "cgroup", "cgroup2", "mqueue");

  private FileSystems() {}

  static String name(long magic) {
    return NAMES.getOrDefault(magic, "0x" + Long.toHexString(magic));
  }

  static boolean noExec(String name, long mountFlags) {
    return (mountFlags & ST_NOEXEC) != 0 || NEVER_EXECUTABLE.contains(name);
  }
}
