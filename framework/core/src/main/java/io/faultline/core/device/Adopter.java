// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import io.faultline.core.area.Area;
import io.faultline.core.device.MmapRequestObject.Install;
import io.faultline.device.HandOver;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Asks a driver to take over files and areas, in two phases: what it refuses is undone, what it
 * accepts takes effect with {@link #commit}. All address spaces are stopped.
 */
final class Adopter {
  private record File(OpenFileObject file, @Nullable Object before, DeviceNode node) {}

  private record Mapping(
      Area area, @Nullable Object before, GuardedOperations operations, DeviceNode node,
      List<Install> installs) {}

  private final List<File> files = new ArrayList<>();
  private final List<Mapping> areas = new ArrayList<>();

  /**
   * A file is to be the node's.
   *
   * @throws ErrnoException the driver's refusal
   */
  void adopt(OpenFileObject file, DeviceNode node) throws ErrnoException {
    Object before = file.privateData();
    Object carried = PrivateData.carried(before);
    if (!node.driver().handsOver()) {
      if (before != null) {
        throw new ErrnoException(
            Errno.EBUSY,
            node.owner()
                + " is open, and the new version of its driver does not implement HandOver");
      }
    } else if (file.isOpened()) {
      file.setOffered(true);
      file.setPrivateData(carried);
      try {
        node.callAside(node.driver().lease(), "adopt", true, Errno.ENXIO, false, provider -> {
          ((HandOver) provider).adopt(file);
          return null;
        });
      } catch (ErrnoException refused) {
        file.setPrivateData(before);
        throw refused;
      } finally {
        file.setOffered(false);
      }
    }
    files.add(new File(file, before, node));
  }

  /**
   * An area is to be the node's.
   *
   * @param serving whose it is; null when nobody has it
   * @return what the driver maps in the place of what is mapped there
   * @throws ErrnoException the driver's refusal
   */
  List<Install> adopt(Area area, DeviceNode node, @Nullable Driver serving)
      throws ErrnoException {
    if (!node.driver().handsOver()) {
      throw new ErrnoException(
          Errno.EBUSY,
          node.owner()
              + " is mapped, and the new version of its driver does not implement HandOver");
    }
    Object before = area.privateData();
    area.setPrivateData(PrivateData.carried(before));
    AdoptedArea adoption = new AdoptedArea(node, area, serving);
    GuardedOperations operations = null;
    ErrnoException refusal = null;
    try {
      node.callAside(node.driver().lease(), "adopt", true, Errno.ENXIO, false, provider -> {
        adoption.begin();
        ((HandOver) provider).adopt(adoption);
        return null;
      });
    } catch (ErrnoException refused) {
      refusal = refused;
    } finally {
      operations = adoption.close();
    }
    if (refusal == null && operations == null) {
      refusal = new ErrnoException(
          Errno.EINVAL, node.owner() + ": adopt attached no operations; call setOperations");
    }
    if (refusal != null || operations == null) {
      area.setPrivateData(before);
      AdoptedArea.discard(node, adoption.installs());
      throw new ErrnoException(
          refusal == null ? Errno.EINVAL : refusal.errno(),
          "area [0x%x, 0x%x) of process %d: %s".formatted(
              area.start(), area.end(), area.pid(),
              refusal == null ? "" : refusal.getMessage()));
    }
    areas.add(new Mapping(area, before, operations, node, adoption.installs()));
    return adoption.installs();
  }

  int files() {
    return files.size();
  }

  int areas() {
    return areas.size();
  }

  /** Cannot fail. */
  void commit(StopWorld.Stopped stopped) {
    for (Mapping mapping : areas) {
      mapping.area.setOperations(mapping.operations);
      if (mapping.operations.hasPageMkwrite()
          && mapping.area.mappedFile() instanceof OpenFileObject file) {
        file.track(mapping.operations);
        mapping.area.linkAgain();
      }
      for (Install install : mapping.installs) {
        if (!install.counted()) {
          BareFrames.claim(mapping.node, install.frame(), install.pages());
        }
      }
      if (!mapping.installs.isEmpty()) {
        stopped.remap(mapping.area, mapping.installs);
      }
    }
    for (File file : files) {
      file.node.takeOver(file.file);
    }
  }

  /** As if nobody had been asked. */
  void undo() {
    for (Mapping mapping : areas) {
      mapping.area.setPrivateData(mapping.before);
      AdoptedArea.discard(mapping.node, mapping.installs);
    }
    files.forEach(file -> file.file.setPrivateData(file.before));
  }
}
