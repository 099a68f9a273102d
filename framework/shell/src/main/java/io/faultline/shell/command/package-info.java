// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/** One class a command. Each is a Declarative Services component of scope {@code faultline}. */
@NullMarked
package io.faultline.shell.command;

import org.jspecify.annotations.NullMarked;
