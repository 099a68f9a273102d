// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.launcher;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What one run writes: the framework's cache, File Install's scratch space and a log. Each run has a
 * folder of its own, so that any number can run side by side. The folder goes when the run ends; the
 * log stays, with those of the last runs. A lock on a file beside the folder says that its run lives;
 * folders of runs that were killed are swept by the next one.
 */
final class RunDirectory implements AutoCloseable {
  private static final int LOGS_KEPT = 10;
  private static final long PATIENCE_NANOS = 30_000_000_000L;
  private static final long BETWEEN_TRIES_NANOS = 5_000_000;

  private final Path directory;
  private final Path lockFile;
  private final Path log;
  private final FileLock lock;

  private RunDirectory(Path directory, Path lockFile, Path log, FileLock lock) {
    this.directory = directory;
    this.lockFile = lockFile;
    this.log = log;
    this.lock = lock;
  }

  /**
   * Makes the folder of this run.
   *
   * @param var where to put it
   * @throws IOException when it cannot be written
   */
  static RunDirectory open(Path var) throws IOException {
    Path runs = Files.createDirectories(var.resolve("run"));
    Path logs = Files.createDirectories(var.resolve("log"));
    sweep(runs);
    prune(logs);
    String name = Long.toString(ProcessHandle.current().pid());
    Path lockFile = runs.resolve(name + ".lock");
    FileLock lock = lock(lockFile);
    Path directory = runs.resolve(name);
    delete(directory);
    Files.createDirectories(directory);
    return new RunDirectory(directory, lockFile, logs.resolve("faultline-" + name + ".log"), lock);
  }

  /**
   * Makes and locks the file. Another run that begins may see it before it is locked, and lock it, and
   * remove it: then once more.
   */
  private static FileLock lock(Path file) throws IOException {
    long end = System.nanoTime() + PATIENCE_NANOS;
    while (System.nanoTime() - end < 0) {
      FileLock lock =
          tryLock(
              FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE));
      if (lock != null && Files.exists(file)) {
        return lock;
      }
      if (lock != null) {
        lock.acquiredBy().close();
      }
      LockSupport.parkNanos(BETWEEN_TRIES_NANOS);
    }
    throw new IOException(file + " is locked by a process that is not this one");
  }

  Path directory() {
    return directory;
  }

  Path log() {
    return log;
  }

  /** Removes the folder. Leaves what cannot be removed to the next run. */
  @Override
  public void close() {
    try {
      delete(directory);
      Files.deleteIfExists(lockFile);
      lock.acquiredBy().close();
    } catch (IOException e) {
      System.err.println("faultline: cannot remove " + directory + ": " + e);
    }
  }

  private static void sweep(Path runs) throws IOException {
    try (Stream<Path> files = Files.list(runs)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".lock")).toList()) {
        FileLock dead;
        try {
          dead = tryLock(FileChannel.open(file, StandardOpenOption.WRITE));
        } catch (NoSuchFileException gone) {
          continue; // Its run has ended meanwhile.
        }
        if (dead != null) {
          String name = file.getFileName().toString();
          delete(runs.resolve(name.substring(0, name.length() - ".lock".length())));
          Files.deleteIfExists(file);
          dead.acquiredBy().close();
        }
      }
    }
  }

  private static void prune(Path logs) throws IOException {
    List<Path> oldestFirst;
    try (Stream<Path> files = Files.list(logs)) {
      oldestFirst = files.sorted(Comparator.comparingLong(f -> f.toFile().lastModified())).toList();
    }
    for (Path old : oldestFirst.subList(0, Math.max(0, oldestFirst.size() - LOGS_KEPT + 1))) {
      Files.deleteIfExists(old);
    }
  }

  private static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
    FileLock lock = channel.tryLock();
    if (lock == null) {
      channel.close();
    }
    return lock;
  }

  private static void delete(Path tree) throws IOException {
    if (!Files.exists(tree)) {
      return;
    }
    Files.walkFileTree(
        tree,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.deleteIfExists(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path folder, @Nullable IOException failure)
              throws IOException {
            Files.deleteIfExists(folder);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
