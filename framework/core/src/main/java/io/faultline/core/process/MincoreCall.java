// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.process;

import static io.faultline.mm.Mman.PAGE_SHIFT;
import static io.faultline.mm.Mman.PAGE_SIZE;

import io.faultline.core.mm.MincoreOperation;
import io.faultline.kernel.Task;
import io.faultline.kernel.UserMemory;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.SignalException;
import java.lang.foreign.MemorySegment;

/** {@code mincore}: looks with the space locked, a page of answers at a time, and writes them without. */
final class MincoreCall {
  private MincoreCall() {}

  static void mincore(Task task, long address, long length, long vector)
      throws ErrnoException {
    long left = MincoreOperation.check(CallEntry.space(task), address, length, vector);
    UserMemory memory = TaskTable.of(task).newCpu();
    byte[] bytes = new byte[(int) Math.min(left, PAGE_SIZE)];
    long cursor = address;
    long target = vector;
    while (left > 0) {
      long from = cursor;
      int atMost = (int) Math.min(left, bytes.length);
      int told =
          CallEntry.read(task, space -> MincoreOperation.stretch(space, from, bytes, atMost));
      try {
        memory.write(target, MemorySegment.ofArray(bytes).asSlice(0, told));
      } catch (SignalException unwritable) {
        throw new ErrnoException(Errno.EFAULT, "vector: " + unwritable.getMessage());
      }
      left -= told;
      target += told;
      cursor += (long) told << PAGE_SHIFT;
    }
  }
}
