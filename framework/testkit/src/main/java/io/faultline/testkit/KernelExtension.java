// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit;

import io.faultline.kernel.KernelProfile;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.platform.commons.support.AnnotationSupport;

/**
 * What {@link FaultlineTest} does. The kernel is kept in the store of the context that asked first,
 * which closes it when that context ends; what {@link BootedKernel#close} finds wrong fails the test.
 */
final class KernelExtension implements ParameterResolver {
  private static final ExtensionContext.Namespace NAMESPACE =
      ExtensionContext.Namespace.create(KernelExtension.class);

  /** So that a constructor's kernel is that of the one test for which the instance is made. */
  @Override
  public ExtensionContextScope getTestInstantiationExtensionContextScope(
      ExtensionContext rootContext) {
    return ExtensionContextScope.TEST_METHOD;
  }

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    Class<?> type = parameter.getParameter().getType();
    return type == Kernel.class || type == BootedKernel.class;
  }

  @Override
  public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
    return context.getStore(NAMESPACE)
        .getOrComputeIfAbsent(BootedKernel.class, key -> boot(context), BootedKernel.class);
  }

  private static BootedKernel boot(ExtensionContext context) {
    FaultlineTest test = AnnotationSupport
        .findAnnotation(context.getRequiredTestClass(), FaultlineTest.class,
            context.getEnclosingTestClasses())
        .orElseThrow();
    return BootedKernel.boot(
        test.memory(), KernelProfile.LINUX_6_18.withMaxMapCount(test.maxMapCount()));
  }
}
