// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.itests;

import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.itests.driver.DriverJar;
import io.faultline.itests.harness.Eventually;
import io.faultline.itests.harness.InFelix;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.lang.ref.WeakReference;
import java.util.Arrays;
import java.util.Optional;
import java.util.Set;
import org.apache.felix.service.command.CommandProcessor;
import org.apache.felix.service.command.CommandSession;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;
import org.osgi.service.log.LogService;
import org.osgi.service.log.Logger;
import org.osgi.service.log.LoggerFactory;

/** The framework keeps nothing of a bundle that was uninstalled, and its log works all the same. */
@InFelix
class ForgottenBundlesIT {
  private static final String DRIVER = "io.faultline.driver.framebuffer";
  /** More than the 100 entries that the log keeps, each with its bundle. */
  private static final int ENOUGH_FOR_THE_LOG = 40;

  private BundleContext context;
  private CommandSession session;

  @BeforeEach
  void setUp(BundleContext bundle, CommandProcessor processor) throws Exception {
    context = bundle;
    session = processor.createSession(
        InputStream.nullInputStream(), PrintStream.nullOutputStream(),
        PrintStream.nullOutputStream());
    session.put("SCOPE", "faultline:*");
    Eventually.holds(
        "the shell is there",
        () -> session.get(".commands") instanceof Set<?> commands
            && commands.contains("faultline:insmod") && commands.contains("faultline:dmesg"));
  }

  @AfterEach
  void end() {
    session.close();
  }

  private String run(String line) {
    try {
      return String.valueOf(session.execute(line));
    } catch (Exception e) {
      return e.toString();
    }
  }

  private Optional<Bundle> driver() {
    return Arrays.stream(context.getBundles())
        .filter(bundle -> DRIVER.equals(bundle.getSymbolicName())).findFirst();
  }

  /** Each bundle's life is worth six entries or more. */
  private void fillTheLog() throws Exception {
    for (int i = 0; i < ENOUGH_FOR_THE_LOG; i++) {
      Bundle bundle =
          context.installBundle(
              "forgotten:" + i, new ByteArrayInputStream(DriverJar.ofVersion("1.0.0", "")));
      bundle.start();
      bundle.uninstall();
    }
  }

  private <S> S service(Class<S> type) {
    ServiceReference<S> reference = context.getServiceReference(type);
    assertThat(reference).as(type.getName()).isNotNull();
    return context.getService(reference);
  }

  @Test
  void aDriverWhoseServicesAndCommandWereUsedIsForgotten() throws Exception {
    run("insmod framebuffer");
    // Another component, which comes and goes with the command's call; it refers to the kernel's tasks.
    Eventually.holds("fb is there", () -> run("fb info").contains("mode"));
    WeakReference<Bundle> old = new WeakReference<>(driver().orElseThrow());
    run("rmmod framebuffer");
    Eventually.holds("the driver is gone", () -> driver().isEmpty());
    fillTheLog();
    Eventually.holds(
        "the bundle is forgotten",
        () -> {
          System.gc();
          return old.refersTo(null);
        });
  }

  @Test
  void aLoggerIsOfItsNameWhicheverBundleItIsFor() {
    LoggerFactory loggers = service(LoggerFactory.class);
    Bundle[] bundles = context.getBundles();
    assertThat(loggers.getLogger(bundles[1], "org.acme.pad", Logger.class))
        .isSameAs(loggers.getLogger(bundles[2], "org.acme.pad", Logger.class))
        .isSameAs(loggers.getLogger("org.acme.pad"));
    assertThat(loggers.getLogger("org.acme.other"))
        .isNotSameAs(loggers.getLogger("org.acme.pad"));
  }

  @Test
  void whatABundleLogsIsInTheKernelsMessages() {
    service(LoggerFactory.class).getLogger("org.acme.pad").warn("the {} is worn", "nib");
    Eventually.holds(
        "the message is there", () -> run("dmesg").contains("org.acme.pad: the nib is worn"));
  }

  @Test
  @SuppressWarnings("deprecation")
  void whatABundleLogsInTheOldWayIsInTheKernelsMessages() {
    service(LogService.class).log(
        LogService.LOG_ERROR, "the ink is out", new IllegalStateException("dry"));
    Eventually.holds(
        "the message is there", () -> run("dmesg").contains("the ink is out"));
  }
}
