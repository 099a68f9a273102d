// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.process;

import io.faultline.core.mm.MempolicyOperation;
import io.faultline.kernel.Task;
import io.faultline.mm.ErrnoException;
import org.jspecify.annotations.Nullable;

/** {@code mbind} and {@code set_mempolicy}: the mask of nodes is the process's or the caller's. */
final class MempolicyCalls {
  private final CallEntry entry;

  MempolicyCalls(CallEntry entry) {
    this.entry = entry;
  }

  void mbind(
      Task task, long address, long length, int mode, long mask, long maxNode, int flags)
      throws ErrnoException {
    bind(task, address, length, mode, mask, words(task, mask), maxNode, flags);
  }

  void mbind(
      Task task, long address, long length, int mode, long[] mask, long maxNode, int flags)
      throws ErrnoException {
    bind(task, address, length, mode, first(mask), MempolicyOperation.in(mask), maxNode, flags);
  }

  private void bind(
      Task task, long address, long length, int mode, long told,
      MempolicyOperation.@Nullable Words words, long maxNode, int flags)
      throws ErrnoException {
    entry.traced(
        task, CallRule.MBIND,
        () -> {
          MempolicyOperation operation = MempolicyOperation.of(mode, words, maxNode);
          return CallEntry.write(
              task,
              space -> {
                operation.bind(space, address, length, flags);
                return 0L;
              });
        },
        address, length, mode, told, maxNode, flags);
  }

  void setMempolicy(Task task, int mode, long mask, long maxNode) throws ErrnoException {
    setPolicy(task, mode, mask, words(task, mask), maxNode);
  }

  void setMempolicy(Task task, int mode, long[] mask, long maxNode) throws ErrnoException {
    setPolicy(task, mode, first(mask), MempolicyOperation.in(mask), maxNode);
  }

  private void setPolicy(
      Task task, int mode, long told, MempolicyOperation.@Nullable Words words, long maxNode)
      throws ErrnoException {
    entry.traced(
        task, CallRule.SET_MEMPOLICY,
        () -> {
          MempolicyOperation.of(mode, words, maxNode).setForProcess();
          return 0L;
        },
        mode, told, maxNode);
  }

  private static MempolicyOperation.@Nullable Words words(Task task, long mask)
      throws ErrnoException {
    return mask == 0 ? null : MempolicyOperation.in(TaskTable.of(task).newCpu(), mask);
  }

  private static long first(long[] mask) {
    return mask.length == 0 ? 0 : mask[0];
  }
}
