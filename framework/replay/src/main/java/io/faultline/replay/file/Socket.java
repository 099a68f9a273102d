// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay.file;

import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;

/**
 * A socket: it has an {@code mmap}, and that refuses ({@code sock_no_mmap}). The errno is that of an
 * {@link UnmappableFile}, but {@code MAP_FIXED} has destroyed the old mapping by then.
 */
final class Socket implements MmapProvider {
  @Override
  public void mmap(OpenFile file, MmapRequest request) throws ErrnoException {
    throw new ErrnoException(Errno.ENODEV, "fd: the socket cannot be mapped");
  }
}
