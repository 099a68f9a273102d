// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.file;

import io.faultline.device.AccessMode;
import io.faultline.device.AddressSpaceOperations;
import io.faultline.device.DeviceNumber;
import io.faultline.device.FileKind;
import io.faultline.device.FileSystem;
import io.faultline.device.Inode;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** A file system whose disk is an array for each file, and can be told to fail. */
final class StoredFiles implements FileSystem {
  private final Map<String, Stored> files = new ConcurrentHashMap<>();
  final List<String> calls = new ArrayList<>();
  volatile @Nullable ErrnoException writeFailure;
  volatile @Nullable IOException readFailure;
  /** The page whose reading fails; -1 for all. */
  volatile long badPage = -1;
  volatile boolean refuseMkwrite;
  volatile boolean hang;

  /** One file. */
  final class Stored implements AddressSpaceOperations {
    final Inode inode;
    byte[] bytes;
    /** Is looked at when the kernel asks whether something has changed. */
    volatile long foundSize = -1;

    Stored(String path, byte[] content, long number) {
      bytes = content;
      inode = Inode.builder(FileKind.REGULAR, path)
          .identity(new DeviceNumber(8, 1), number).fileSystem("stored", false)
          .size(content.length).pageCache(this).build();
    }

    @Override
    public synchronized void readPages(Inode of, long firstPage, MemorySegment[] pages)
        throws IOException {
      note("read " + firstPage + "+" + pages.length);
      IOException failure = readFailure;
      for (int i = 0; i < pages.length; i++) {
        if (failure != null && (badPage < 0 || badPage == firstPage + i)) {
          throw failure;
        }
        int from = (int) (firstPage + i) * Mman.PAGE_SIZE;
        int length = Math.clamp((long) bytes.length - from, 0, Mman.PAGE_SIZE);
        if (length > 0) {
          MemorySegment.copy(MemorySegment.ofArray(bytes), from, pages[i], 0, length);
        }
      }
      while (hang) {
        try {
          Thread.sleep(1000);
        } catch (InterruptedException e) {
          throw new IOException("interrupted");
        }
      }
    }

    @Override
    public synchronized void writePages(Inode of, long firstPage, MemorySegment[] pages)
        throws ErrnoException {
      note("write " + firstPage + "+" + pages.length);
      ErrnoException failure = writeFailure;
      if (failure != null) {
        throw failure;
      }
      for (int i = 0; i < pages.length; i++) {
        int from = (int) (firstPage + i) * Mman.PAGE_SIZE;
        int end = from + (int) pages[i].byteSize();
        if (end > bytes.length) {
          bytes = Arrays.copyOf(bytes, end);
        }
        MemorySegment.copy(pages[i], 0, MemorySegment.ofArray(bytes), from, end - from);
      }
    }

    @Override
    public void pageMkwrite(Inode of, long page) throws ErrnoException {
      note("mkwrite " + page);
      if (refuseMkwrite) {
        throw new ErrnoException(Errno.ENOSPC, "no room for page " + page);
      }
    }

    @Override
    public synchronized void truncate(Inode of, long size) {
      note("truncate " + size);
      bytes = Arrays.copyOf(bytes, (int) size);
    }

    @Override
    public void sync(Inode of) {
      note("sync");
    }

    @Override
    public void revalidate(Inode of) {
      long found = foundSize;
      if (found >= 0) {
        foundSize = -1;
        inode.resize(found);
      }
    }

    /** Somebody else changes the file's size. */
    synchronized void changeBehindTheBack(int size) {
      bytes = Arrays.copyOf(bytes, size);
      foundSize = size;
    }

    synchronized String text(int from, int to) {
      return new String(bytes, from, to - from, StandardCharsets.ISO_8859_1);
    }
  }

  private void note(String call) {
    synchronized (calls) {
      calls.add(call);
    }
  }

  /** The calls so far that begin with a word; forgotten afterwards. */
  List<String> takeCalls(String kind) {
    synchronized (calls) {
      List<String> taken = calls.stream().filter(call -> call.startsWith(kind)).toList();
      calls.clear();
      return taken;
    }
  }

  /** A file with the given number of bytes; each page is full of its letter, A for the first. */
  Stored add(String name, int size) {
    byte[] content = new byte[size];
    for (int i = 0; i < size; i++) {
      content[i] = (byte) ('A' + i / Mman.PAGE_SIZE % 26);
    }
    Stored file = new Stored("/disk/" + name, content, files.size() + 100);
    files.put("/" + name, file);
    return file;
  }

  @Override
  public Inode lookup(String path, AccessMode mode) throws ErrnoException {
    Stored file = files.get(path);
    if (file == null) {
      throw new ErrnoException(Errno.ENOENT, "path: there is no " + path);
    }
    return file.inode;
  }

  @Override
  public void mmap(OpenFile file, MmapRequest request) throws ErrnoException {
    request.setPageCache();
  }
}
