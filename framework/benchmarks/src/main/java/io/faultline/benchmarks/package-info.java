// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
/** JMH benchmarks of the engine, a class for each part. README.md says how to run them. */
@NullMarked
package io.faultline.benchmarks;

import org.jspecify.annotations.NullMarked;
