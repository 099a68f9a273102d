// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.host;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;

/** A test of the kernel beneath: skipped, with one line, where there is none that can be observed. */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(OnLinux.Condition.class)
public @interface OnLinux {
  /** Asks the machine once a class. */
  final class Condition implements ExecutionCondition {
    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
      if (context.getTestMethod().isPresent()) {
        return ConditionEvaluationResult.enabled("decided for the class");
      }
      HostSupport support = Host.supported();
      if (support.supported()) {
        return ConditionEvaluationResult.enabled("Linux " + support.kernel());
      }
      System.err.println(
          context.getDisplayName() + " skipped: " + support.reason());
      return ConditionEvaluationResult.disabled(support.reason());
    }
  }
}
