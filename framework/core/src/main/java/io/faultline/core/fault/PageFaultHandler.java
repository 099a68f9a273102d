// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.fault;

import static io.faultline.core.area.VmBits.VM_ACCESS;
import static io.faultline.core.area.VmBits.VM_EXEC;
import static io.faultline.core.area.VmBits.VM_GROWSDOWN;
import static io.faultline.core.area.VmBits.VM_WRITE;

import io.faultline.core.area.Area;
import io.faultline.core.area.AreaOperations;
import io.faultline.core.device.AbandonedCallError;
import io.faultline.core.device.Tracer;
import io.faultline.core.jfr.PageFaultEvent;
import io.faultline.core.mm.AddressSpace;
import io.faultline.core.mm.SharedMemoryPages;
import io.faultline.core.mm.StackGrowth;
import io.faultline.core.paging.Pte;
import io.faultline.kernel.FaultResult;
import io.faultline.kernel.TraceEvent;
import io.faultline.mm.Access;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.FaultType;
import io.faultline.mm.Mman;
import io.faultline.mm.Siginfo;
import io.faultline.mm.SignalCode;
import io.faultline.mm.SignalException;
import io.faultline.mm.VmFlags;
import org.jspecify.annotations.Nullable;

/**
 * A page fault from the processor's side ({@code do_user_addr_fault}): finds the area, lets a stack
 * grow, checks the access, has {@link AreaFaults} supply the page, and turns a refusal into a signal.
 * Thread-safe; faults of one space run side by side.
 */
public final class PageFaultHandler {
  private static final int ADDRESS_BITS = 48;

  /** No result: told by its identity. */
  private static final FaultResult PARKED =
      FaultResult.refused(new Siginfo(SignalCode.BUS_ADRERR, 0, "parked"));

  /** No result: the registers at the page are to be read first. */
  private static final FaultResult REGISTERS =
      FaultResult.refused(new Siginfo(SignalCode.BUS_ADRERR, 0, "registers"));

  private final FaultStatistics statistics;
  private final Tracer tracer;
  private volatile OutOfMemory outOfMemory =
      (space, address, attempts) -> new Siginfo(SignalCode.BUS_ADRERR, address,
          "physical memory is used up");

  public PageFaultHandler(FaultStatistics statistics, Tracer tracer) {
    this.statistics = statistics;
    this.tracer = tracer;
  }

  /**
   * Handles a fault for a processor.
   *
   * @throws SignalException when the program is sent a signal
   */
  public void faultOrThrow(AddressSpace space, long address, Access access) {
    Siginfo signal = handle(space, address, access).signal();
    if (signal != null) {
      throw new SignalException(signal);
    }
  }

  /**
   * An access that the page tables allow did not get through to the device behind them. No page fault,
   * and not counted as one.
   *
   * @return the signal for the program: SIGBUS
   */
  public SignalException busError(
      AddressSpace space, long address, Access access, String cause) {
    Siginfo signal = new Siginfo(SignalCode.BUS_ADRERR, address, cause);
    if (space.decisions().wanted()) {
      space.decisions().by(
          FaultRule.BUS_ERROR, address, address, SignalCode.BUS_ADRERR + ": " + cause);
    }
    if (tracer.enabled()) {
      tracer.emit(
          TraceEvent.Kind.SIGNAL, space.pid(), null, address, address, access + " " + signal);
    }
    return new SignalException(signal);
  }

  /** Who makes room when no frame can be had; nobody until it is set. */
  public void setOutOfMemory(OutOfMemory relief) {
    outOfMemory = relief;
  }

  public FaultResult handle(AddressSpace space, long address, Access access) {
    PageFaultEvent event = PageFaultEvent.start();
    FaultResult result = attempt(space, address, access);
    if (event != null) {
      Siginfo signal = result.signal();
      event.finish(
          space.pid(), address, access.name(), result.type() == FaultType.MAJOR,
          signal == null ? null : signal.shortText() + ": " + signal.cause());
    }
    return result;
  }

  private FaultResult attempt(AddressSpace space, long address, Access access) {
    long began = System.nanoTime();
    FaultResult result = attempt(space, address, access, began, null);
    int attempts = 0;
    while (result == null || result == PARKED || result == REGISTERS) {
      if (result == REGISTERS) {
        RegisterPage registers = RegisterPage.read(space, address & -Mman.PAGE_SIZE);
        result = attempt(space, address, access, began, registers);
        continue;
      }
      if (result == PARKED) {
        if (!Parked.pause(space, address)) {
          return refuse(
              space, address, access, began, FaultRule.NO_PAGE, SignalCode.BUS_ADRERR,
              "the wait for the driver was interrupted");
        }
        result = attempt(space, address, access, began, null);
        continue;
      }
      attempts++;
      Siginfo refusal = outOfMemory.makeRoom(space, address, attempts);
      if (refusal != null) {
        return refuse(
            space, address, access, began, FaultRule.OUT_OF_MEMORY, refusal.code(),
            refusal.cause());
      }
      result = attempt(space, address, access, began, null);
    }
    return result;
  }

  /**
   * One attempt.
   *
   * @param registers those of the page, when it was {@link #REGISTERS} before
   * @return null when there is no frame, {@link #PARKED} when the driver is to be waited for, {@link
   *     #REGISTERS} when registers are to be read
   */
  private @Nullable FaultResult attempt(
      AddressSpace space, long address, Access access, long began,
      @Nullable RegisterPage registers) {
    try {
      space.lockForReading();
    } catch (ErrnoException goneOrReentrant) {
      return refuse(
          space, address, access, began, FaultRule.PROCESS_GONE, SignalCode.SEGV_MAPERR,
          String.valueOf(goneOrReentrant.getMessage()));
    }
    boolean reading = true;
    try {
      if (address >> (ADDRESS_BITS - 1) != 0) {
        // Neither in user space nor above it: not canonical, a general protection fault.
        boolean canonical = address >> (ADDRESS_BITS - 1) == -1;
        return refuse(
            space, address, access, began,
            canonical ? FaultRule.KERNEL_ADDRESS : FaultRule.NOT_CANONICAL,
            canonical ? SignalCode.SEGV_MAPERR : SignalCode.SI_KERNEL,
            canonical ? "a kernel address" : "the address is not canonical");
      }
      Area area = space.areas().find(address);
      if (area != null && area.start() > address && area.hasAny(VM_GROWSDOWN)) {
        space.unlockForReading();
        reading = false;
        growStack(space, address);
        space.lockForReading();
        reading = true;
        area = space.areas().find(address);
      }
      if (area == null || area.start() > address) {
        return refuse(
            space, address, access, began, FaultRule.NOTHING_MAPPED, SignalCode.SEGV_MAPERR,
            "nothing is mapped there");
      }
      SignalCode denied = check(space, area, access);
      if (denied != null) {
        FaultRule rule =
            denied == SignalCode.SEGV_PKUERR ? FaultRule.KEY_DENIES : FaultRule.ACCESS_DENIED;
        return refuse(space, address, access, began, rule, denied, describe(area, denied));
      }
      long page = address & -Mman.PAGE_SIZE;
      Outcome outcome = AreaFaults.handle(space, area, page, access, registers);
      if (outcome == Outcome.OOM) {
        return null;
      }
      if (outcome == Outcome.REGISTERS) {
        return REGISTERS;
      }
      if (outcome == Outcome.SIGBUS && Parked.isToWait(area)) {
        return PARKED;
      }
      return outcome.failed()
          ? refuseByArea(space, area, address, access, began, outcome)
          : accept(space, area, address, access, began, outcome);
    } catch (ErrnoException gone) {
      return refuse(
          space, address, access, began, FaultRule.PROCESS_GONE, SignalCode.SEGV_MAPERR,
          String.valueOf(gone.getMessage()));
    } catch (AbandonedCallError tooLate) {
      // The lock is lost, and what was found under it.
      return refuse(
          space, address, access, began, FaultRule.NO_PAGE, SignalCode.BUS_ADRERR,
          String.valueOf(tooLate.getMessage()));
    } finally {
      if (reading) {
        space.unlockForReading();
      }
    }
  }

  private static void growStack(AddressSpace space, long address) throws ErrnoException {
    space.lockForWriting();
    try {
      Area area = space.areas().find(address);
      if (area != null && area.start() > address) {
        StackGrowth.expand(space, area, address);
      }
    } finally {
      space.unlockForWriting();
    }
  }

  /**
   * {@code access_error} of x86, whose processors cannot forbid reading what may be written or
   * executed.
   *
   * @return why not, or null
   */
  static @Nullable SignalCode check(AddressSpace space, Area area, Access access) {
    if (access != Access.EXECUTE && !space.keys().permits(area, access == Access.WRITE)) {
      return SignalCode.SEGV_PKUERR;
    }
    long needed =
        switch (access) {
          case READ -> VM_ACCESS;
          case WRITE -> VM_WRITE;
          case EXECUTE -> VM_EXEC;
        };
    return area.hasAny(needed) ? null : SignalCode.SEGV_ACCERR;
  }

  private static String describe(Area area, SignalCode denied) {
    String what =
        denied == SignalCode.SEGV_PKUERR
            ? "protection key " + new VmFlags(area.flagBits()).protectionKey() + " denies it"
            : "the area does not allow it";
    return "%s: %x-%x %s".formatted(what, area.start(), area.end(), area.flags());
  }

  private FaultResult accept(
      AddressSpace space, Area area, long address, Access access, long began, Outcome outcome) {
    FaultResult result = outcome == Outcome.MAJOR ? FaultResult.MAJOR : FaultResult.MINOR;
    String handler = handlerOf(area, outcome);
    space.decisions().by(FaultRule.SUPPLIED, address, address);
    statistics.record(
        space.pid(), address, access, handler, result, outcome == Outcome.COPY,
        System.nanoTime() - began);
    if (tracer.enabled()) {
      tracer.emit(
          TraceEvent.Kind.FAULT, space.pid(), deviceOf(area), address, address,
          access + " " + result.type() + " " + handler);
    }
    return result;
  }

  private FaultResult refuseByArea(
      AddressSpace space, Area area, long address, Access access, long began, Outcome outcome) {
    AreaOperations operations = area.operations();
    SignalCode code =
        outcome == Outcome.GUARD ? SignalCode.SEGV_MAPERR : SignalCode.BUS_ADRERR;
    FaultRule rule =
        switch (outcome) {
          case GUARD -> FaultRule.GUARD_PAGE;
          default -> FaultRule.NO_PAGE;
        };
    String cause =
        switch (outcome) {
          case GUARD -> "a guard page is there";
          case SWAP_FAILED -> "its page could not be brought back from swap: "
              + swapFailure(space, address);
          case NO_NOPAGE -> handlerOf(area, outcome)
              + ": no page is mapped there, and the driver has no nopage";
          case PROTECTED -> handlerOf(area, outcome) + AreaFaults.ALWAYS_PROTECTED;
          default -> refusalOf(area, operations, address);
        };
    return refuse(space, address, access, began, handlerOf(area, outcome), rule, code, cause);
  }

  private static String refusalOf(
      Area area, @Nullable AreaOperations operations, long address) {
    if (operations == null) {
      return "the mapping has no pages";
    }
    String swap = SharedMemoryPages.swapFailure(area, address & -Mman.PAGE_SIZE);
    return swap == null
        ? operations.lastRefusal()
        : "its page could not be brought back from swap: " + swap;
  }

  private static String swapFailure(AddressSpace space, long address) {
    long entry = space.tables().get(address & -Mman.PAGE_SIZE);
    return Pte.isSwap(entry)
        ? space.services().swap().devices().lastFailure(Pte.swapSlot(entry))
        : "it is there again";
  }

  private FaultResult refuse(
      AddressSpace space,
      long address,
      Access access,
      long began,
      FaultRule rule,
      SignalCode code,
      String cause) {
    return refuse(space, address, access, began, "none", rule, code, cause);
  }

  private FaultResult refuse(
      AddressSpace space,
      long address,
      Access access,
      long began,
      String handler,
      FaultRule rule,
      SignalCode code,
      String cause) {
    if (space.decisions().wanted()) {
      space.decisions().by(rule, address, address, code + ": " + cause);
    }
    FaultResult result = FaultResult.refused(new Siginfo(code, address, cause));
    statistics.record(
        space.pid(), address, access, handler, result, false, System.nanoTime() - began);
    if (tracer.enabled()) {
      tracer.emit(
          TraceEvent.Kind.SIGNAL, space.pid(), null, address, address,
          access + " " + String.valueOf(result.signal()));
    }
    return result;
  }

  private static String handlerOf(Area area, Outcome outcome) {
    if (outcome == Outcome.COPY) {
      return "copy";
    }
    AreaOperations operations = area.operations();
    return operations == null ? "zero" : operations.owner();
  }

  private static @Nullable String deviceOf(Area area) {
    AreaOperations operations = area.operations();
    return operations == null ? null : operations.owner();
  }
}
