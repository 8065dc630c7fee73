/** A pause that can be cut short. Ringing while nobody waits shortens the next pause to nothing. */
export interface Alarm {
  wait(milliseconds: number): Promise<void>;
  ring(): void;
}

export function createAlarm(): Alarm {
  let rung = false;
  let end: (() => void) | undefined;
  return {
    wait(milliseconds) {
      return new Promise((resolve) => {
        const finish = () => {
          clearTimeout(timer);
          end = undefined;
          rung = false;
          resolve();
        };
        const timer = setTimeout(finish, milliseconds);
        if (rung) {
          finish();
        } else {
          end = finish;
        }
      });
    },
    ring() {
      rung = true;
      end?.();
    },
  };
}
