// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.proc.elf;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/**
 * A core on its way to a file: written under another name beside it, with holes, and renamed when it
 * is whole. Closed before that, it leaves nothing.
 */
public final class CoreFile implements CoreSink, AutoCloseable {
  private final Path target;
  private final Path part;
  private final RandomAccessFile file;
  private final FileChannel channel;
  private long position;
  private boolean complete;

  /**
   * Begins a file.
   *
   * @throws IOException when the folder is not there or cannot be written, or something that is no
   *     file has the name
   */
  public CoreFile(Path target) throws IOException {
    this.target = target.toAbsolutePath();
    Path folder = this.target.getParent();
    Path name = this.target.getFileName();
    if (folder == null || name == null) {
      throw new FileSystemException(target.toString(), null, "is no name of a file");
    }
    if (!Files.isDirectory(folder)) {
      throw new NoSuchFileException(folder.toString(), null, "is no folder");
    }
    if (Files.exists(this.target, LinkOption.NOFOLLOW_LINKS)
        && !Files.isRegularFile(this.target, LinkOption.NOFOLLOW_LINKS)) {
      throw new FileSystemException(target.toString(), null, "is there and is no regular file");
    }
    // For its owner's eyes alone, as the kernel makes it.
    part = Files.createTempFile(folder, "." + name + ".", ".part");
    RandomAccessFile opened = null;
    try {
      opened = new RandomAccessFile(part.toFile(), "rw");
    } finally {
      if (opened == null) {
        Files.deleteIfExists(part);
      }
    }
    file = opened;
    channel = opened.getChannel();
  }

  @Override
  public void write(ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      position += channel.write(bytes, position);
    }
  }

  @Override
  public void hole(long bytes) {
    position += bytes;
  }

  @Override
  public void finish() throws IOException {
    file.setLength(position);
    file.close();
    Files.move(
        part, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    complete = true;
  }

  @Override
  public void close() throws IOException {
    try {
      file.close();
    } finally {
      if (!complete) {
        Files.deleteIfExists(part);
      }
    }
  }
}
