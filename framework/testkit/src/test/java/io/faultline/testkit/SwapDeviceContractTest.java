// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.device.SwapDevice;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.engine.JupiterTestEngine;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherConfig;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/** The contract lets a device pass that keeps it, and tells those that do not by the right test. */
class SwapDeviceContractTest extends SwapDeviceContract {
  @Override
  protected SwapDevice device() {
    return new InMemory();
  }

  @Test
  void tellsOneThatAnswersZerosForWhatItDoesNotHold() {
    assertThat(failuresOf(Zeros.class)).contains("aSlotThatHoldsNothingFailsTheRead");
  }

  @Test
  void tellsOneThatKeepsTheFirstPage() {
    assertThat(failuresOf(FirstWins.class)).contains("whatIsWrittenLastIsRead");
  }

  @Test
  void tellsOneThatTakesNeighboursForGranted() {
    assertThat(failuresOf(Neighbours.class)).contains("slotsOfABatchNeedNotBeNeighbours")
        .doesNotContain("saysWhatProcSwapsShows");
  }

  @Test
  void tellsOneThatRemembersWhatWasBefore() {
    assertThat(failuresOf(Remembers.class)).containsExactly("activeAgainItIsEmptyAndWorks");
  }

  private static TreeSet<String> failuresOf(Class<?> test) {
    TreeSet<String> failed = new TreeSet<>();
    LauncherFactory
        .create(
            LauncherConfig.builder().enableTestEngineAutoRegistration(false)
                .addTestEngines(new JupiterTestEngine()).build())
        .execute(
            LauncherDiscoveryRequestBuilder.request()
                .selectors(DiscoverySelectors.selectClass(test)).build(),
            new TestExecutionListener() {
              @Override
              public void executionFinished(TestIdentifier id, TestExecutionResult result) {
                if (result.getStatus() == TestExecutionResult.Status.FAILED
                    && id.getSource().orElse(null) instanceof MethodSource method) {
                  failed.add(method.getMethodName());
                }
              }
            });
    return failed;
  }

  static class Zeros extends SwapDeviceContract {
    @Override
    protected SwapDevice device() {
      return new InMemory() {
        @Override
        byte[] find(long slot) {
          return pages.getOrDefault(slot, new byte[SwapPage.BYTES]);
        }
      };
    }
  }

  static class FirstWins extends SwapDeviceContract {
    @Override
    protected SwapDevice device() {
      return new InMemory() {
        @Override
        void put(long slot, byte[] page) {
          pages.putIfAbsent(slot, page);
        }
      };
    }
  }

  static class Neighbours extends SwapDeviceContract {
    @Override
    protected SwapDevice device() {
      return new InMemory() {
        @Override
        public void write(long[] slots, MemorySegment[] from) throws IOException {
          long[] neighbours = new long[slots.length];
          for (int i = 0; i < slots.length; i++) {
            neighbours[i] = slots[0] + i;
          }
          super.write(neighbours, from);
        }
      };
    }
  }

  static class Remembers extends SwapDeviceContract {
    @Override
    protected SwapDevice device() {
      return new InMemory() {
        @Override
        public void swapon() {
          active = true;
        }
      };
    }
  }

  /** Keeps the contract in the plainest way. */
  private static class InMemory implements SwapDevice {
    final Map<Long, byte[]> pages = new ConcurrentHashMap<>();
    volatile boolean active;

    @Override
    public String name() {
      return "memory";
    }

    @Override
    public long slots() {
      return 4096;
    }

    @Override
    public void swapon() {
      pages.clear();
      active = true;
    }

    @Override
    public void swapoff() {
      active = false;
    }

    @Override
    public void write(long[] slots, MemorySegment[] from) throws IOException {
      check(slots);
      for (int i = 0; i < slots.length; i++) {
        put(slots[i], from[i].toArray(ValueLayout.JAVA_BYTE));
      }
    }

    @Override
    public void read(long[] slots, MemorySegment[] to) throws IOException {
      check(slots);
      List<byte[]> found = new ArrayList<>();
      for (long slot : slots) {
        byte[] page = find(slot);
        if (page == null) {
          throw new IOException("nothing in slot " + slot);
        }
        found.add(page);
      }
      for (int i = 0; i < slots.length; i++) {
        to[i].copyFrom(MemorySegment.ofArray(found.get(i)));
      }
    }

    @Override
    public void free(long[] slots) {
      for (long slot : slots) {
        pages.remove(slot);
      }
    }

    byte[] find(long slot) {
      return pages.get(slot);
    }

    void put(long slot, byte[] page) {
      pages.put(slot, page);
    }

    private void check(long[] slots) throws IOException {
      if (!active) {
        throw new IOException("not active");
      }
      for (long slot : slots) {
        if (slot < 0 || slot >= slots()) {
          throw new IOException("no slot " + slot);
        }
      }
    }
  }
}
