"""Languages: headings, states, units and small words of task tables that are not in English.

Owns: the words. Names of columns are by the field's own name; all are written as they compare, without space.
Does not know: how they are looked up.

In order: German, Spanish, French, Portuguese, Italian, Dutch, Russian, Chinese, Japanese.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from remit.plans.plan import TaskState

COLUMNS: Final[Mapping[str, str]] = {
    "Task_ID": (
        "nr nummer kennung aufgabennr vorgangsnr psp pspcode numero número código codigo clave clé codice номер "
        "编号 序号 編號 番号"
    ),
    "Title": (
        "titel bezeichnung aufgabenname vorgangsname título titulo nombre resumen titre nom intitulé nome titolo naam "
        "название 标题 標題 名称 名稱 件名 タイトル"
    ),
    "Description": (
        "beschreibung descripción detalles descrição descrizione omschrijving beschrijving описание 描述 説明"
    ),
    "Kind": "typ tipo тип 类型 種類",
    "Phase": "meilenstein etappe fase etapa hito étape jalon этап 阶段 フェーズ",
    "Workstream": "bereich teilprojekt kategorie categoría área área domaine catégorie categoria categorie",
    "Deliverable": (
        "ergebnis lieferobjekt entregable entregables livrable livrables entregável результат 交付物 成果物"
    ),
    "Acceptance_Criteria": (
        "akzeptanzkriterien abnahmekriterien kriterien fertigwenn criteriosdeaceptación criterios critèresdacceptation "
        "critères criteriosdeaceitação criteri 验收标准 受入基準 完了条件"
    ),
    "Priority": "priorität prioridad priorité prioridade priorità prioriteit приоритет 优先级 優先度",
    "Risk": "risiko riesgo risque risco rischio риск",
    "Effort": (
        "aufwand dauer schätzung tage stunden personentage pt aufwandpt aufwandtage aufwandstunden esfuerzo "
        "estimación duración días horas charge durée jours heures chargejh esforço estimativa duração dias stima "
        "durata giorni ore schatting duur dagen uren оценка трудоёмкость длительность 工作量 估算 工时 工期 見積 "
        "見積もり 工数"
    ),
    "Owner": (
        "verantwortlich verantwortlicher zuständig bearbeiter wer ressource ressourcennamen responsable asignado "
        "asignadoa encargado assignéà responsável responsabile assegnatoa verantwoordelijke eigenaar исполнитель "
        "ответственный 负责人 負責人 担当 担当者"
    ),
    "Depends_On": (
        "abhängigvon abhängigkeit abhängigkeiten hängtabvon vorgänger voraussetzung voraussetzungen dependede "
        "dependencia dependencias predecesor predecesoras dépendde dépendance dépendances prédécesseur prédécesseurs "
        "prérequis dependência dependências predecessoras dipendeda dipendenze predecessori afhankelijkvan "
        "afhankelijkheden зависитот зависимости 依赖 依賴 前置任务 依存 依存関係 先行タスク 前提"
    ),
    "Blocked_By": "blockiertdurch blockiertvon bloqueadopor bloquépar bloqueadapor bloccatoda geblokkeerddoor",
    "Blocks": "nachfolger bloquea sucesoras successeurs bloqueia blocca 后续任务 後続タスク",
    "Files": "dateien datei archivos archivo fichiers fichier arquivos",
    "Risks": "risiken riesgos risques riscos rischi",
    "Status": (
        "zustand stand fortschritt erledigt estado avance hecho état statut avancement situação stato статус состояние "
        "状态 狀態 进度 状態 ステータス 進捗 状況"
    ),
    "Target_Date": (
        "fällig fälligam termin frist enddatum fechalímite vencimiento plazo échéance prazo scadenza срок 截止日期 "
        "期限 期日 締切"
    ),
}
"""Names of columns; their accents may be missing."""

TASK_WORDS: Final = frozenset({
    "aufgabe", "aufgaben", "vorgang", "arbeitspaket", "schritt", "tarea", "tareas", "actividad", "paso",
    "tâche", "tâches", "activité", "tarefa", "tarefas", "atividade", "attività", "compito", "taak", "taken",
    "задача", "задачи", "任务", "任務", "タスク", "作業",
})  # fmt: skip
"""Names of columns that mean the id or the title, and words before the number of a task."""

STATES: Final[Mapping[TaskState, str]] = {
    TaskState.PENDING: (
        "nein non não nee "
        "offen geplant nichtbegonnen ausstehend neu pendiente abierto abierta sinempezar porhacer àfaire enattente "
        "ouvert pendente afazer aberto dafare aperto dainiziare tedoen gepland нетначала открыто запланировано новая "
        "未开始 待办 待處理 未着手 未対応"
    ),
    TaskState.IN_PROGRESS: (
        "inarbeit inbearbeitung laufend läuft begonnen inprüfung encurso enprogreso enproceso enrevisión encours "
        "enrévision emandamento emprogresso incorso bezig inuitvoering вработе впроцессе 进行中 進行中 作業中 対応中"
    ),
    TaskState.DONE: (
        "erledigt fertig abgeschlossen ja hecho hecha terminado terminada completado completada sí terminé terminée "
        "fait faite oui concluído concluída feito fatto completato finito klaar gereed afgerond готово выполнено "
        "сделано 完成 已完成 完了 済"
    ),
    TaskState.STUCK: (
        "blockiert pausiert gestoppt bloqueado bloqueada enpausa bloqué bloquée suspendu bloccato geblokkeerd "
        "заблокировано 阻塞 暂停 保留 中断"
    ),
}

NONE: Final = frozenset({
    "keine", "keiner", "keins", "nichts", "ninguna", "ninguno", "nada", "aucune", "aucun", "néant",
    "nenhuma", "nenhum", "nessuna", "nessuno", "geen", "нет", "无", "無", "なし",
})  # fmt: skip

UNITS: Final[Mapping[str, str]] = {
    "tag": "day", "tage": "day", "tagen": "day", "día": "day", "días": "day", "dia": "day", "dias": "day",
    "j": "day", "jour": "day", "jours": "day", "jh": "day", "giorno": "day", "giorni": "day", "dag": "day",
    "dagen": "day", "день": "day", "дня": "day", "дней": "day", "天": "day", "日": "day", "人日": "day",
    "std": "hour", "stunde": "hour", "stunden": "hour", "hora": "hour", "horas": "hour", "heure": "hour",
    "heures": "hour", "ora": "hour", "ore": "hour", "uur": "hour", "uren": "hour", "час": "hour", "часа": "hour",
    "часов": "hour", "小时": "hour", "小時": "hour", "時間": "hour",
    "woche": "week", "wochen": "week", "semana": "week", "semanas": "week", "semaine": "week", "semaines": "week",
    "settimana": "week", "settimane": "week", "weken": "week", "неделя": "week", "недели": "week", "недель": "week",
    "周": "week", "週": "week", "週間": "week",
    "monat": "month", "monate": "month", "mes": "month", "meses": "month", "mois": "month", "mês": "month",
    "mese": "month", "mesi": "month", "maand": "month", "maanden": "month", "месяц": "month", "месяца": "month",
    "месяцев": "month", "个月": "month", "ヶ月": "month", "か月": "month",
}  # fmt: skip
"""Units of time, each with its English name."""
