// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.itests.harness;

import java.util.Dictionary;
import java.util.Hashtable;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.engine.JupiterTestEngine;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherConfig;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.opentest4j.TestAbortedException;
import org.ops4j.pax.exam.ProbeInvoker;
import org.ops4j.pax.exam.ProbeInvokerFactory;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;

/** Inside the container: runs one test of the probe's bundle on the JUnit Platform. */
public final class Junit5Invoker implements ProbeInvoker {
  private final Bundle probe;

  Junit5Invoker(Bundle probe) {
    this.probe = probe;
  }

  /** Offers the invoker to Pax Exam. */
  public static final class Activator implements BundleActivator {
    @Override
    public void start(BundleContext context) {
      Dictionary<String, Object> properties = new Hashtable<>();
      properties.put("driver", "junit5");
      ProbeInvokerFactory factory =
          (probe, expression) -> new Junit5Invoker(((BundleContext) probe).getBundle());
      context.registerService(ProbeInvokerFactory.class, factory, properties);
    }

    @Override
    public void stop(BundleContext context) {}
  }

  /**
   * Runs one test.
   *
   * @param arguments the test class's name, JUnit's unique id of the test, and a {@code
   *     CompletableFuture<Void>} for its outcome
   */
  @Override
  @SuppressWarnings("unchecked")
  public void call(Object... arguments) {
    CompletableFuture<Void> outcome = (CompletableFuture<Void>) arguments[2];
    Report report = new Report();
    Thread thread = Thread.currentThread();
    ClassLoader before = thread.getContextClassLoader();
    try {
      // JUnit loads the class that the id names through this loader.
      thread.setContextClassLoader(probe.loadClass((String) arguments[0]).getClassLoader());
      LauncherDiscoveryRequest request =
          LauncherDiscoveryRequestBuilder.request()
              .selectors(DiscoverySelectors.selectUniqueId((String) arguments[1]))
              .build();
      LauncherFactory.create(
          LauncherConfig.builder()
              .enableTestEngineAutoRegistration(false)
              .enableTestExecutionListenerAutoRegistration(false)
              .enableLauncherDiscoveryListenerAutoRegistration(false)
              .enableLauncherSessionListenerAutoRegistration(false)
              .enablePostDiscoveryFilterAutoRegistration(false)
              .addTestEngines(new JupiterTestEngine())
              .build())
          .execute(request, report);
      report.tell(outcome);
    } catch (ClassNotFoundException e) {
      outcome.completeExceptionally(e);
    } finally {
      thread.setContextClassLoader(before);
    }
  }

  /** The first that fails counts, be it the test or what is set up and torn down round it. */
  private static final class Report implements TestExecutionListener {
    private boolean ran;
    private @Nullable Throwable failure;

    @Override
    public void executionFinished(TestIdentifier identifier, TestExecutionResult result) {
      ran |= identifier.isTest();
      result.getThrowable().ifPresent(this::failed);
    }

    @Override
    public void executionSkipped(TestIdentifier identifier, String reason) {
      failed(new TestAbortedException(reason));
    }

    private void failed(Throwable thrown) {
      if (failure == null) {
        failure = thrown;
      }
    }

    void tell(CompletableFuture<Void> outcome) {
      if (failure != null) {
        outcome.completeExceptionally(failure);
      } else if (ran) {
        outcome.complete(null);
      }
    }
  }
}
