// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.kernel;

import io.faultline.mm.ErrnoException;
import io.faultline.mm.Vma;
import java.util.List;
import java.util.Optional;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The memory system calls and the areas they act on. Arguments are the raw words of Linux's x86-64
 * system calls (constants in {@link io.faultline.mm.Mman}), so that every refusal can be Linux's own;
 * addresses and lengths are bytes and unsigned.
 *
 * <p>Thread-safe: calls on one address space take its lock ({@code mmap_lock}), calls on different
 * ones run side by side. Every method throws {@link ErrnoException} with Linux's errno and a detail
 * that names the argument; ESRCH when the task is gone, EDEADLK when a driver's callback calls back
 * into the address space that it is called for.
 */
@ProviderType
public interface VmaService {
  /**
   * {@code mmap(2)}.
   *
   * @param offset into the file, in bytes
   * @return the address, which is never an error number
   */
  long mmap(Task task, long address, long length, int prot, int flags, int fd, long offset)
      throws ErrnoException;

  /** {@code munmap(2)}. */
  void munmap(Task task, long address, long length) throws ErrnoException;

  /** {@code mprotect(2)}. */
  void mprotect(Task task, long address, long length, int prot) throws ErrnoException;

  /** {@code pkey_mprotect(2)}; {@code pkey} -1 is {@link #mprotect}. */
  void pkeyMprotect(Task task, long address, long length, int prot, int pkey)
      throws ErrnoException;

  /** {@code pkey_alloc(2)}: the key. */
  int pkeyAlloc(Task task, int flags, int accessRights) throws ErrnoException;

  /** {@code pkey_free(2)}. */
  void pkeyFree(Task task, int pkey) throws ErrnoException;

  /** The system call {@code brk}: the new end of the heap, or the old one when it cannot move. */
  long brk(Task task, long address) throws ErrnoException;

  /**
   * {@code mremap(2)}.
   *
   * @param newAddress looked at only with {@code MREMAP_FIXED} or {@code MREMAP_DONTUNMAP}
   * @return the new address
   */
  long mremap(
      Task task, long oldAddress, long oldLength, long newLength, int flags, long newAddress)
      throws ErrnoException;

  /** {@code madvise(2)}. */
  void madvise(Task task, long address, long length, int advice) throws ErrnoException;

  /** {@code msync(2)}. */
  void msync(Task task, long address, long length, int flags) throws ErrnoException;

  /** {@code mlock(2)}. */
  void mlock(Task task, long address, long length) throws ErrnoException;

  /** {@code mlock2(2)}. */
  void mlock2(Task task, long address, long length, int flags) throws ErrnoException;

  /** {@code munlock(2)}. */
  void munlock(Task task, long address, long length) throws ErrnoException;

  /** {@code mlockall(2)}. */
  void mlockall(Task task, int flags) throws ErrnoException;

  /** {@code munlockall(2)}. */
  void munlockall(Task task) throws ErrnoException;

  /**
   * {@code mincore(2)}.
   *
   * @param vector where in the task's memory one byte a page is written
   */
  void mincore(Task task, long address, long length, long vector) throws ErrnoException;

  /** {@code mseal(2)}. */
  void mseal(Task task, long address, long length, long flags) throws ErrnoException;

  /**
   * {@code remap_file_pages(2)}.
   *
   * @param pageOffset in pages
   */
  void remapFilePages(
      Task task, long address, long size, int prot, long pageOffset, int flags)
      throws ErrnoException;

  /**
   * {@code mbind(2)} on a machine with one node, number 0: no page has anywhere else to go, but areas
   * of different policies are never one.
   *
   * @param mask where in the task's memory the mask of nodes stands; 0 for none
   * @param maxNode bits of the mask and one more
   */
  void mbind(
      Task task, long address, long length, int mode, long mask, long maxNode, int flags)
      throws ErrnoException;

  /**
   * {@code mbind(2)} with the mask itself, for callers that know what it held but not where.
   *
   * @param mask its words, bit 0 of the first being node 0; what lies beyond them is 0
   */
  void mbind(
      Task task, long address, long length, int mode, long[] mask, long maxNode, int flags)
      throws ErrnoException;

  /**
   * {@code set_mempolicy(2)}, checked as Linux checks it; with one node it steers nothing.
   *
   * @param mask where in the task's memory the mask of nodes stands; 0 for none
   * @param maxNode bits of the mask and one more
   */
  void setMempolicy(Task task, int mode, long mask, long maxNode) throws ErrnoException;

  /** {@code set_mempolicy(2)} with the mask itself, as for {@code mbind}. */
  void setMempolicy(Task task, int mode, long[] mask, long maxNode) throws ErrnoException;

  /** {@code prctl(2)}, as far as it concerns memory. */
  long prctl(Task task, int option, long a, long b, long c, long d) throws ErrnoException;

  /** {@code shmget(2)} with IPC_PRIVATE: the identifier of a new segment. */
  int shmget(Task task, long size) throws ErrnoException;

  /**
   * {@code shmctl(2)} with IPC_RMID: nobody can attach the segment any more, and it goes with its last
   * attachment.
   */
  void shmRemove(Task task, int id) throws ErrnoException;

  /** {@code shmat(2)}: the address. */
  long shmat(Task task, int id, long address, int flags) throws ErrnoException;

  /** {@code shmdt(2)}. */
  void shmdt(Task task, long address) throws ErrnoException;

  /** {@code io_setup(2)}: the ring's address, which is the context. */
  long ioSetup(Task task, int events) throws ErrnoException;

  /** {@code io_destroy(2)}. */
  void ioDestroy(Task task, long context) throws ErrnoException;

  /** The area that holds an address. */
  Optional<Vma> find(Task task, long address);

  /** A snapshot of the areas, ascending. */
  List<Vma> list(Task task);
}
