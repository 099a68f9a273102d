// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.simple;

import io.faultline.device.MmapProvider;
import io.faultline.device.PageAllocator;
import io.faultline.mm.ErrnoException;
import io.faultline.testkit.compliance.DriverCompliance;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** The contract between kernel and driver, for the two that show the same memory. */
abstract class SimpleCompliance extends DriverCompliance {
  private static final Logger LOG = Logger.getLogger("io.faultline.driver.simple");

  private final Map<MmapProvider, SimpleMemory> memories = new HashMap<>();

  /** It logs every open and close. */
  @BeforeAll
  static void quiet() {
    LOG.setLevel(Level.WARNING);
  }

  @AfterAll
  static void loud() {
    LOG.setLevel(null);
  }

  abstract MmapProvider driver(SimpleMemory memory);

  @Override
  protected MmapProvider driver(PageAllocator pages) throws ErrnoException {
    SimpleMemory memory = new SimpleMemory(pages);
    MmapProvider driver = driver(memory);
    memories.put(driver, memory);
    return driver;
  }

  @Override
  protected void remove(MmapProvider driver) {
    memories.remove(driver).free();
  }

  @Override
  protected OptionalInt size() {
    return OptionalInt.of(1 << SimpleMemory.ORDER);
  }
}
