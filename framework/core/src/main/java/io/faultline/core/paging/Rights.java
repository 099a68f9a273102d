// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.paging;

import io.faultline.mm.Access;

/** What an entry and the protection keys allow user mode to do. */
final class Rights {
  private static final int ACCESS_DISABLE = 1;
  private static final int WRITE_DISABLE = 2;

  private Rights() {}

  /**
   * @param pkru two bits for each key; keys do not restrict execution
   */
  static boolean allows(long entry, Access access, int pkru) {
    return switch (access) {
      case READ -> Pte.isPresent(entry) && (key(entry, pkru) & ACCESS_DISABLE) == 0;
      case WRITE ->
          Pte.isWritable(entry) && (key(entry, pkru) & (ACCESS_DISABLE | WRITE_DISABLE)) == 0;
      case EXECUTE -> Pte.isExecutable(entry);
    };
  }

  private static int key(long entry, int pkru) {
    return pkru >>> 2 * Pte.protectionKey(entry);
  }
}
