// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.itests;

import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.device.MmapProvider;
import io.faultline.device.PageAllocator;
import io.faultline.itests.driver.DriverJar;
import io.faultline.itests.driver.FrameDriver;
import io.faultline.itests.harness.InFelix;
import io.faultline.itests.harness.KernelLog;
import io.faultline.kernel.Devices;
import io.faultline.kernel.Files;
import io.faultline.kernel.Tasks;
import io.faultline.kernel.VmaService;
import io.faultline.mm.Page;
import io.faultline.mm.SignalCode;
import java.io.ByteArrayInputStream;
import java.util.Dictionary;
import java.util.Hashtable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.ServiceRegistration;

/** Each bundle has an account of its own with physical memory. */
@InFelix
class PagesIT {
  private BundleContext context;
  private ServiceReference<PageAllocator> reference;
  private PageAllocator pages;
  private KernelLog log;

  @BeforeEach
  void getService(BundleContext bundle) {
    context = bundle;
    reference = context.getServiceReference(PageAllocator.class);
    pages = context.getService(reference);
    log = new KernelLog();
  }

  @AfterEach
  void ungetService() {
    context.ungetService(reference);
    log.close();
  }

  @Test
  void twoBundlesHaveTwoAccounts(Devices devices) throws Exception {
    Page page = pages.allocate();
    Bundle stamp =
        context.installBundle(
            "stamp:pages", new ByteArrayInputStream(DriverJar.ofVersion("1.0.0")));
    stamp.start();

    assertThat(pages.allocated()).isEqualTo(1);
    assertThat(devices.find("/dev/stamp").orElseThrow().pages()).isEqualTo(1);

    page.put();
    stamp.uninstall();
    assertThat(pages.allocated()).isZero();
    assertThat(log.warnings()).isEmpty();
  }

  @Test
  void whatABundleLeavesBehindIsTakenBackWithAWarning() throws Exception {
    Page leaked = pages.allocate();
    pages.allocate(2);

    context.ungetService(reference);

    assertThat(log.warnings()).singleElement().asString()
        .contains(context.getBundle().getSymbolicName(), "5 pages");
    assertThat(leaked.referenceCount()).isZero();
    pages = context.getService(reference);
    assertThat(pages.allocated()).as("a new account").isZero();
  }

  @Test
  void framesStayAsLongAsADriverOfTheBundleMayHaveMappedThem(
      Tasks tasks, Files files, VmaService memory) throws Exception {
    Page page = pages.allocate();
    Dictionary<String, Object> properties = new Hashtable<>();
    properties.put("device.name", "frame");
    ServiceRegistration<MmapProvider> driver =
        context.registerService(MmapProvider.class, new FrameDriver(page), properties);
    try (Program program = Program.start(tasks, files, memory)) {
      long address = program.map(program.open("/dev/frame"), 1);
      program.putText(address, "mine");

      context.ungetService(reference);
      assertThat(program.text(address)).isEqualTo("mine");
      assertThat(page.referenceCount()).isEqualTo(1);
      assertThat(log.warnings()).isEmpty();

      driver.unregister();
      assertThat(program.refusal(address)).isEqualTo(SignalCode.BUS_ADRERR);
      assertThat(page.referenceCount()).isZero();
      assertThat(log.warnings()).singleElement().asString().contains("1 page;");
    }
  }
}
