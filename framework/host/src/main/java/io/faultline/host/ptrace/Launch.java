// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.host.ptrace;

import io.faultline.host.linux.HostException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What to start and how. Immutable; every {@code with...} answers a changed copy.
 *
 * @param program the path that {@code execve(2)} gets
 * @param arguments with the name it is called by at the front
 * @param environment its variables
 * @param redirect descriptors that are opened on other files; the others are the JVM's 0, 1 and 2
 * @param personality bits for {@code personality(2)}; {@link #NO_RANDOMIZATION} unless changed
 * @param charset in which the texts become bytes
 * @param prepare runs in the child just before {@code execve}
 */
public record Launch(
    String program,
    List<String> arguments,
    Map<String, String> environment,
    Map<Integer, String> redirect,
    int personality,
    Charset charset,
    Preparation prepare) {
  /** ADDR_NO_RANDOMIZE: every run gets the same addresses. */
  public static final int NO_RANDOMIZATION = 0x0040000;

  /** ADDR_COMPAT_LAYOUT: mappings are placed bottom-up. */
  public static final int LEGACY_LAYOUT = 0x0200000;

  private static final String NOWHERE = "/dev/null";

  /** Work to be done in the child before it becomes the program: limits, capabilities, a mount. */
  @FunctionalInterface
  public interface Preparation {
    /**
     * Does it.
     *
     * @param calls makes system calls in the child
     */
    void run(RemoteSyscalls calls) throws HostException;
  }

  /** Copies the collections. */
  public Launch {
    arguments = List.copyOf(arguments);
    environment = Map.copyOf(environment);
    redirect = Map.copyOf(redirect);
  }

  /**
   * A program in this JVM's environment, with its standard streams.
   *
   * @param program the path that {@code execve(2)} gets
   * @param arguments with the name it is called by at the front
   */
  public static Launch of(String program, List<String> arguments) {
    return new Launch(
        program, arguments, System.getenv(), Map.of(), NO_RANDOMIZATION, StandardCharsets.UTF_8,
        calls -> {});
  }

  /** With these variables and no others. */
  public Launch withEnvironment(Map<String, String> variables) {
    return new Launch(program, arguments, variables, redirect, personality, charset, prepare);
  }

  /** With nothing to read. */
  public Launch withoutInput() {
    return redirected(0);
  }

  /** With its output and its error messages thrown away. */
  public Launch withoutOutput() {
    return redirected(1).redirected(2);
  }

  /** With other bits for {@code personality(2)}. */
  public Launch withPersonality(int bits) {
    return new Launch(program, arguments, environment, redirect, bits, charset, prepare);
  }

  /** With texts in another encoding: ISO 8859-1 for texts that are bytes, one character each. */
  public Launch withCharset(Charset encoding) {
    return new Launch(
        program, arguments, environment, redirect, personality, encoding, prepare);
  }

  /** With work to be done just before {@code execve}. */
  public Launch prepared(Preparation work) {
    return new Launch(program, arguments, environment, redirect, personality, charset, work);
  }

  private Launch redirected(int descriptor) {
    Map<Integer, String> files = new TreeMap<>(redirect);
    files.put(descriptor, NOWHERE);
    return new Launch(program, arguments, environment, files, personality, charset, prepare);
  }
}
