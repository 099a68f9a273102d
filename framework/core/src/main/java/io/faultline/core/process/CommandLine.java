// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.process;

import java.util.List;
import java.util.Map;

/**
 * What a process was started with, for those who look at it from outside.
 *
 * @param arguments its command line
 * @param auxiliary what its image says of its auxiliary vector
 */
record CommandLine(List<String> arguments, Map<Integer, Long> auxiliary) {}
