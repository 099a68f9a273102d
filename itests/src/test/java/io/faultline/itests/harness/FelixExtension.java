// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.itests.harness;

import java.lang.reflect.Method;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.InvocationInterceptor;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.jupiter.api.extension.ReflectiveInvocationContext;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkUtil;
import org.osgi.util.tracker.ServiceTracker;

/**
 * Lives twice. Outside, in Maven's test run, it starts a container for the class and sends each test
 * method there instead of running it. Inside, it lets the methods run, supplies their parameters, and
 * removes what one that failed has left.
 */
public final class FelixExtension
    implements
    BeforeAllCallback, BeforeEachCallback, AfterEachCallback, InvocationInterceptor,
    ParameterResolver {
  private static final Namespace NAMESPACE = Namespace.create(FelixExtension.class);
  private static final long SERVICE_MILLIS = 180_000;

  private static @Nullable Bundle bundle() {
    return FrameworkUtil.getBundle(FelixExtension.class);
  }

  private static boolean inside() {
    return bundle() != null;
  }

  @Override
  public void beforeAll(ExtensionContext context) throws Exception {
    ExtensionContext.Store store = context.getStore(NAMESPACE);
    // A nested class finds the one of the class around it. The store closes it after its class.
    if (!inside() && store.get(TestFelix.class) == null) {
      store.put(TestFelix.class, TestFelix.start(context.getRequiredTestClass()));
    }
  }

  @Override
  public void beforeEach(ExtensionContext context) throws Exception {
    Bundle bundle = bundle();
    if (bundle != null) {
      context.getStore(NAMESPACE).put(Leftovers.class, new Leftovers(bundle.getBundleContext()));
    }
  }

  @Override
  public void afterEach(ExtensionContext context) throws Exception {
    Leftovers leftovers = context.getStore(NAMESPACE).get(Leftovers.class, Leftovers.class);
    if (leftovers != null && context.getExecutionException().isPresent()) {
      leftovers.remove();
    }
  }

  @Override
  public void interceptBeforeAllMethod(
      Invocation<Void> invocation,
      ReflectiveInvocationContext<Method> method,
      ExtensionContext context)
      throws Throwable {
    proceedInside(invocation);
  }

  @Override
  public void interceptBeforeEachMethod(
      Invocation<Void> invocation,
      ReflectiveInvocationContext<Method> method,
      ExtensionContext context)
      throws Throwable {
    proceedInside(invocation);
  }

  @Override
  public void interceptTestMethod(
      Invocation<Void> invocation,
      ReflectiveInvocationContext<Method> method,
      ExtensionContext context)
      throws Throwable {
    runInside(invocation, context);
  }

  @Override
  public void interceptTestTemplateMethod(
      Invocation<Void> invocation,
      ReflectiveInvocationContext<Method> method,
      ExtensionContext context)
      throws Throwable {
    runInside(invocation, context);
  }

  @Override
  public void interceptAfterEachMethod(
      Invocation<Void> invocation,
      ReflectiveInvocationContext<Method> method,
      ExtensionContext context)
      throws Throwable {
    proceedInside(invocation);
  }

  @Override
  public void interceptAfterAllMethod(
      Invocation<Void> invocation,
      ReflectiveInvocationContext<Method> method,
      ExtensionContext context)
      throws Throwable {
    proceedInside(invocation);
  }

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    Class<?> type = parameter.getParameter().getType();
    return type.isInterface() && parameter.getDeclaringExecutable() instanceof Method;
  }

  @Override
  public @Nullable Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
    Bundle bundle = bundle();
    if (bundle == null) {
      return null; // Outside the method is not run.
    }
    Class<?> type = parameter.getParameter().getType();
    return type == BundleContext.class
        ? bundle.getBundleContext()
        : service(bundle.getBundleContext(), type);
  }

  /** Waits for a service; the tracker is left open, so that the service stays in use. */
  private static <T> T service(BundleContext context, Class<T> type) {
    ServiceTracker<T, T> tracker = new ServiceTracker<>(context, type, null);
    tracker.open();
    try {
      T service = tracker.waitForService(SERVICE_MILLIS);
      if (service == null) {
        throw new AssertionError(
            "no service " + type.getName() + " within " + SERVICE_MILLIS / 1000 + " s");
      }
      return service;
    } catch (InterruptedException e) {
      throw new AssertionError("interrupted while waiting for " + type.getName(), e);
    }
  }

  private static void proceedInside(Invocation<Void> invocation) throws Throwable {
    if (inside()) {
      invocation.proceed();
    } else {
      invocation.skip();
    }
  }

  private static void runInside(Invocation<Void> invocation, ExtensionContext context)
      throws Throwable {
    if (inside()) {
      invocation.proceed();
    } else {
      invocation.skip();
      context
          .getStore(NAMESPACE)
          .get(TestFelix.class, TestFelix.class)
          .run(context.getRequiredTestClass(), context.getUniqueId());
    }
  }
}
