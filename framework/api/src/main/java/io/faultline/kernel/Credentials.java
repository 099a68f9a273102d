// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.kernel;

/**
 * Who a process is, as far as memory calls ask.
 *
 * @param uid user number
 * @param ipcLock CAP_IPC_LOCK: RLIMIT_MEMLOCK is not enforced
 * @param rawIo CAP_SYS_RAWIO: may map below {@code vm.mmap_min_addr}
 * @param resource CAP_SYS_RESOURCE: may exceed resource limits
 * @param admin CAP_SYS_ADMIN
 */
public record Credentials(
    int uid, boolean ipcLock, boolean rawIo, boolean resource, boolean admin) {
  /** The super-user. */
  public static final Credentials ROOT = new Credentials(0, true, true, true, true);

  /** An ordinary user with no capability. */
  public static final Credentials USER = new Credentials(1000, false, false, false, false);
}
