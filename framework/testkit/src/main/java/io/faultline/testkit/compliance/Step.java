// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit.compliance;

/**
 * What a process does. Places are pages of its address space, counted from where the kit maps. A step
 * that makes no sense where it stands (a process that is not there, a place where nothing is mapped)
 * does nothing, so that any step can be left out of a history.
 */
sealed interface Step {
  /** The pages that {@link Fill} and {@link Cycle} use. */
  int PAGES = 8;

  void run(Machine machine);

  /** Every page of the device gets a content of its own: by write(2), else through a mapping. */
  record Fill() implements Step {
    @Override
    public void run(Machine machine) {
      machine.fill();
    }

    @Override
    public String toString() {
      return "pages 0-" + (PAGES - 1) + " of the device are filled, each with another number";
    }
  }

  /** Pages further on get a content too, where it is known that the device has them. */
  record FillMore(int offset, int pages) implements Step {
    @Override
    public void run(Machine machine) {
      machine.fillMore(offset, pages);
    }

    @Override
    public String toString() {
      return new Window(offset, pages)
          + " of the device: those behind page " + (PAGES - 1) + " that it has are filled too";
    }
  }

  /** The first life of an area, against which later ones are compared. */
  record Cycle() implements Step {
    @Override
    public void run(Machine machine) {
      machine.cycle();
    }

    @Override
    public String toString() {
      return "process 1 maps pages 0-" + (PAGES - 1) + ", reads each and unmaps them";
    }
  }

  record Map(int process, int at, int pages, int offset, boolean shared, boolean writable)
      implements Step {
    @Override
    public void run(Machine machine) {
      boolean unused = machine.areas().map(process, at, pages, offset, shared, writable);
    }

    @Override
    public String toString() {
      return "process %d maps pages %d-%d of the device at %d-%d, %s, %s".formatted(
          process + 1, offset, offset + pages - 1, at, at + pages,
          shared ? "shared" : "private", writable ? "rw" : "r");
    }
  }

  /** What a driver may well refuse. */
  record MapOddly(int process, Odd how) implements Step {
    enum Odd {
      FAR("page 2^40 of the device"),
      HUGE("65536 pages"),
      EXECUTABLE("a page with PROT_EXEC"),
      PRIVATE("a page, private and rw"),
      SECOND("page 1 alone"),
      UNALIGNED("5000 bytes");

      private final String text;

      Odd(String text) {
        this.text = text;
      }
    }

    @Override
    public void run(Machine machine) {
      machine.areas().mapOddly(process, how);
    }

    @Override
    public String toString() {
      return "process " + (process + 1) + " maps " + how.text + ", and unmaps it if it gets it";
    }
  }

  /**
   * Again and again, in the place of what was there; each request of the driver's fails once.
   *
   * @param first the request that fails the first time, from 1
   */
  record MapInNeed(int process, int at, int pages, int offset, boolean shared, int first)
      implements Step {
    @Override
    public void run(Machine machine) {
      machine.shortOfMemory().map(process, at, pages, offset, shared, first);
    }

    @Override
    public String toString() {
      return "process %d maps %s of the device at %d-%d, %s, rw; with the driver's requests for"
          .formatted(
              process + 1, new Window(offset, pages), at, at + pages, shared ? "shared" : "private")
          + " memory refused, one each time" + (first == 1 ? "" : ", from request " + first + " on")
          + ", and in between once more with none refused; and unmaps it";
    }
  }

  /** A page that is touched while the driver can get none. */
  record LoadInNeed(int process, int at) implements Step {
    @Override
    public void run(Machine machine) {
      machine.shortOfMemory().load(process, at);
    }

    @Override
    public String toString() {
      return "process %d loads from %d; the driver's first request for memory is refused".formatted(
          process + 1, at);
    }
  }

  /** The same for write(2). */
  record WriteInNeed(int page) implements Step {
    @Override
    public void run(Machine machine) {
      machine.shortOfMemory().write(page);
    }

    @Override
    public String toString() {
      return "page " + page
          + " of the device is written by write(2), with each request of the driver's for memory refused"
          + " once";
    }
  }

  record Unmap(int process, int at, int pages) implements Step {
    @Override
    public void run(Machine machine) {
      machine.areas().unmap(process, at, pages);
    }

    @Override
    public String toString() {
      return "process %d unmaps %d-%d".formatted(process + 1, at, at + pages);
    }
  }

  record Protect(int process, int at, int pages, boolean writable) implements Step {
    @Override
    public void run(Machine machine) {
      machine.areas().protect(process, at, pages, writable);
    }

    @Override
    public String toString() {
      return "process %d makes %d-%d %s".formatted(
          process + 1, at, at + pages, writable ? "rw" : "r");
    }
  }

  record Move(int process, int at, int pages, int to, int newPages) implements Step {
    @Override
    public void run(Machine machine) {
      machine.areas().move(process, at, pages, to, newPages);
    }

    @Override
    public String toString() {
      return "process %d moves %d-%d to %d-%d".formatted(
          process + 1, at, at + pages, to, to + newPages);
    }
  }

  record Grow(int process, int at, int pages, int newPages) implements Step {
    @Override
    public void run(Machine machine) {
      machine.areas().grow(process, at, pages, newPages);
    }

    @Override
    public String toString() {
      return "process %d grows %d-%d to %d-%d".formatted(
          process + 1, at, at + pages, at, at + newPages);
    }
  }

  record Load(int process, int at) implements Step {
    @Override
    public void run(Machine machine) {
      machine.accesses().load(process, at);
    }

    @Override
    public String toString() {
      return "process %d loads from %d".formatted(process + 1, at);
    }
  }

  record Store(int process, int at) implements Step {
    @Override
    public void run(Machine machine) {
      machine.accesses().store(process, at);
    }

    @Override
    public String toString() {
      return "process %d stores to %d".formatted(process + 1, at);
    }
  }

  record Read(int page) implements Step {
    @Override
    public void run(Machine machine) {
      machine.accesses().read(page);
    }

    @Override
    public String toString() {
      return "page " + page + " of the device is read by read(2)";
    }
  }

  record Write(int page) implements Step {
    @Override
    public void run(Machine machine) {
      machine.accesses().write(page);
    }

    @Override
    public String toString() {
      return "page " + page + " of the device is written by write(2)";
    }
  }

  /** A child in the next free place, if there is one. */
  record Fork(int process) implements Step {
    @Override
    public void run(Machine machine) {
      machine.scene().fork(process);
    }

    @Override
    public String toString() {
      return "process " + (process + 1) + " forks";
    }
  }

  record Exit(int process) implements Step {
    @Override
    public void run(Machine machine) {
      machine.scene().exit(process);
    }

    @Override
    public String toString() {
      return "process " + (process + 1) + " exits";
    }
  }

  /** New processes that touch, or write to, one page for the first time at the same moment. */
  record AtOnce(int page, boolean byWrite) implements Step {
    @Override
    public void run(Machine machine) {
      machine.accesses().atOnce(page, byWrite);
    }

    @Override
    public String toString() {
      return Crowd.SIZE + " processes "
          + (byWrite ? "write to page " + page + " by write(2)"
              : "map page " + page
                  + " and store to it")
          + ", each in a place of its own, at the same moment";
    }
  }

  /** Another instance of the driver takes over, as its next version. */
  record Upgrade() implements Step {
    @Override
    public void run(Machine machine) {
      machine.upgrade();
    }

    @Override
    public String toString() {
      return "the driver's next version takes over";
    }
  }

  /** The driver goes, and another instance comes back; what it saved meanwhile is kept. */
  record Replug() implements Step {
    @Override
    public void run(Machine machine) {
      machine.replug();
    }

    @Override
    public String toString() {
      return "the driver is removed, and its next version comes under the same name";
    }
  }

  /** The process takes all memory that may be promised: after that no fork can have as much. */
  record Hoard(int process) implements Step {
    @Override
    public void run(Machine machine) {
      machine.areas().hoard(process);
    }

    @Override
    public String toString() {
      return "process " + (process + 1)
          + " maps all private memory that it gets (a fork of it fails)";
    }
  }

  /** The process has as many areas as it may, but for some. */
  record Scatter(int process, int spare) implements Step {
    @Override
    public void run(Machine machine) {
      machine.areas().scatter(process, spare);
    }

    @Override
    public String toString() {
      return "process " + (process + 1) + " maps single pages, until it has as many areas as it may"
          + (spare == 0 ? "" : ", but for " + spare);
    }
  }

  /** The driver is removed. */
  record Unplug() implements Step {
    @Override
    public void run(Machine machine) {
      machine.unplug();
    }

    @Override
    public String toString() {
      return "the driver is removed";
    }
  }
}
