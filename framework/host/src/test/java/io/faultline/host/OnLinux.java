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
  /** The series that the test's expectations are of, such as 6.18; empty for any. */
  String series() default "";

  /** Asks the machine once a class. */
  final class Condition implements ExecutionCondition {
    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
      if (context.getTestMethod().isPresent()) {
        return ConditionEvaluationResult.enabled("decided for the class");
      }
      HostSupport support = Host.supported();
      String series = context.getRequiredTestClass().getAnnotation(OnLinux.class).series();
      String reason = support.reason();
      if (support.supported()) {
        if (series.isEmpty() || support.isSeries(series)) {
          return ConditionEvaluationResult.enabled("Linux " + support.kernel());
        }
        reason = "this is Linux " + support.kernel() + "; it expects what " + series + " does";
      }
      System.err.println(context.getDisplayName() + " skipped: " + reason);
      return ConditionEvaluationResult.disabled(reason);
    }
  }
}
